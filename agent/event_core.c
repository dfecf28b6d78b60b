/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/event_core.h"

#include "agent/bridge_watch.h"
#include "agent/libvirt_link.h"
#include "agent/link_watch.h"
#include "agent/marker_watch.h"
#include "agent/network_files.h"
#include "agent/plug.h"
#include "agent/tap_watch.h"
#include "base/log.h"

static void on_bridge(const char *name, void *userdata) {
        Manager *m = userdata;

        bridge_watch_check(m->bridges, name);
}

static void on_link(const Link *link, void *userdata) {
        plug_on_link(userdata, link);
}

/* What was lost may have been any of it. */
static void on_resync(void *userdata) {
        Manager *m = userdata;

        bridge_watch_check_all(m->bridges);
        for (size_t i = 0; i < m->containers.n_items; i++)
                plug_container(m, m->containers.items[i]);
}

static int make_all(Manager *m) {
        const LinkHandlers handlers = {
                .on_bridge = on_bridge,
                .on_link = on_link,
                .on_resync = on_resync,
                .userdata = m,
        };
        int r;

        r = bridge_watch_new(m, &m->bridges);
        if (r >= 0)
                r = link_watch_new(m->event, &handlers, &m->links);
        if (r >= 0)
                r = marker_watch_new(m, &m->markers);
        if (r >= 0)
                r = libvirt_link_new(m, &m->libvirt);
        return r;
}

int event_core_new(Manager *m) {
        int r = make_all(m);

        if (r < 0) {
                event_core_free(m);
                return r;
        }
        r = tap_watch_new(m, &m->taps);
        if (r < 0)
                log_warning_errno(r, "Could not look after virtual machines' links");
        r = network_files_new(m, &m->network_files);
        if (r < 0)
                log_warning_errno(r, "Could not watch libvirt's files of its networks");
        bridge_watch_check_all_soon(m->bridges);
        return 0;
}

void event_core_free(Manager *m) {
        m->network_files = network_files_free(m->network_files);
        m->taps = tap_watch_free(m->taps);
        m->libvirt = libvirt_link_free(m->libvirt);
        m->markers = marker_watch_free(m->markers);
        m->links = link_watch_free(m->links);
        m->bridges = bridge_watch_free(m->bridges);
        network_table_done(&m->networks);
        m->networks_known = false;
}

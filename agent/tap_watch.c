/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/tap_watch.h"

#include "agent/libvirt_link.h"
#include "agent/link_watch.h"
#include "agent/plug.h"
#include "base/log.h"

/* The kernel's news of the old bridge's end are read by then, and other bridges are ready. */
#define SETTLE_USEC 100000
#define ACCURACY_USEC 10000

struct TapWatch {
        Manager *m;
        sd_event_source *settle;
        bool asked;
        bool again;  /* a bridge became ready since */
        bool unsure; /* … of which nobody could say whose it is, as there was no list yet */
};

static bool is_stranded(const Link *link) {
        return link && link->tap && link->master == 0;
}

static bool any_stranded(const Manager *m) {
        size_t n;
        const Link *const *links = link_watch_links(m->links, &n);

        for (size_t i = 0; i < n; i++)
                if (is_stranded(links[i]))
                        return true;
        return false;
}

static void ask(TapWatch *t) {
        int r;

        t->again = t->asked;
        if (t->asked)
                return;
        r = libvirt_link_get_taps(t->m->libvirt, t->m->config.vm_uri);
        if (r < 0)
                log_warning_errno(r, "Could not ask for the virtual machines' links");
        t->asked = r >= 0;
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata) {
        TapWatch *t = userdata;

        if (t->m->config.reattach_vms && any_stranded(t->m))
                ask(t);
        return 0;
}

static void look_soon(TapWatch *t) {
        (void) sd_event_source_set_time_relative(t->settle, SETTLE_USEC);
        (void) sd_event_source_set_enabled(t->settle, SD_EVENT_ONESHOT);
}

void tap_watch_on_bridge(TapWatch *t, const char *bridge) {
        if (network_table_by_bridge(&t->m->networks, bridge))
                look_soon(t);
        else if (!t->m->networks_known)
                t->unsure = true;
}

void tap_watch_on_list(TapWatch *t) {
        if (t->unsure)
                look_soon(t);
        t->unsure = false;
}

static void put_back(const Manager *m, const DomainTap *tap) {
        const Link *link = link_watch_by_name(m->links, tap->link);
        const Link *bridge = link_watch_by_name(m->links, tap->bridge);
        int r;

        if (!is_stranded(link) || !bridge || !bridge->bridge ||
            !network_table_by_bridge(&m->networks, tap->bridge) ||
            !bridge_watch_is_ready(m->bridges, tap->bridge))
                return;
        r = plug_link(link->ifindex, bridge->ifindex);
        if (r >= 0)
                log_info("Put link %s of a virtual machine back on bridge %s", tap->link,
                         tap->bridge);
        else if (r != -ENODEV)
                log_error_errno(r, "Failed to put link %s back on bridge %s", tap->link,
                                tap->bridge);
}

void tap_watch_on_taps(TapWatch *t, const LibvirtMessage *answer) {
        t->asked = false;
        if (answer->error < 0)
                log_warning("The virtual machines' links are not known, and stay without a bridge: "
                            "%s: %s",
                            answer->name, answer->text ? answer->text : strerror(-answer->error));
        for (size_t i = 0; i < answer->taps.n_items; i++)
                put_back(t->m, answer->taps.items + i);
        if (t->again)
                look_soon(t);
}

int tap_watch_new(Manager *m, TapWatch **ret) {
        _cleanup_(tap_watch_freep) TapWatch *t = NULL;
        int r;

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->m = m;
        r = sd_event_add_time(m->event, &t->settle, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_settled,
                              t);
        if (r >= 0)
                r = sd_event_source_set_enabled(t->settle, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

TapWatch *tap_watch_free(TapWatch *t) {
        if (!t)
                return NULL;
        sd_event_source_disable_unref(t->settle);
        free(t);
        return NULL;
}

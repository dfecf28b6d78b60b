/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/network_follow.h"

#include "agent/api.h"
#include "agent/bridge_resolve.h"
#include "agent/container_refresh.h"
#include "agent/define.h"
#include "agent/events.h"
#include "agent/heal.h"
#include "agent/memory_trim.h"
#include "agent/network_files.h"
#include "agent/network_wait.h"
#include "agent/tap_watch.h"
#include "base/log.h"
#include "units/generated.h"

static bool names_network(const Container *c, const char *network) {
        for (size_t i = 0; i < c->def->n_interfaces; i++)
                if (c->def->interfaces[i].type == INTERFACE_TYPE_NETWORK &&
                    (!network || streq(c->def->interfaces[i].source, network)))
                        return true;
        return false;
}

/* GeneratedChange mask, 0 if nothing has to be done. */
static int update(Manager *m, Container *c, const NetworkView *view, Error **err) {
        _cleanup_strv_ char **bridges = NULL;
        bool was_unresolved = c->unresolved;
        int change, r;

        r = bridges_resolve(view, c->def, c->resolved, &bridges, err);
        if (r < 0)
                return r;
        if (strv_equal(bridges, c->resolved))
                return 0;

        change = define_generate(m, c->def, bridges, err);
        if (change < 0)
                return change;

        strv_free(c->resolved);
        c->resolved = TAKE_PTR(bridges);
        c->unresolved = bridges_unresolved(c->resolved);
        r = container_refresh(m, c);
        if (r < 0)
                return error_set(err, -r, "its files cannot be read");

        /* Until now it could not be started at all, so nobody has stopped it either. */
        if (was_unresolved && !c->unresolved && c->enabled && !c->active)
                c->start_when_ready = true;
        return change;
}

void network_follow(Manager *m, const char *network) {
        _cleanup_network_view_ NetworkView view = { 0 };
        bool reload = false;
        int r;

        r = network_view_load(m, &view);
        if (r < 0) {
                log_warning_errno(r, "Could not read libvirt's networks");
                return;
        }

        for (size_t i = 0; i < m->containers.n_items; i++) {
                Container *c = m->containers.items[i];
                _cleanup_error_ Error *err = NULL;

                if (!c->def || !names_network(c, network))
                        continue;
                r = update(m, c, &view, &err);
                if (r < 0)
                        log_warning("Container '%s': its files were not made anew: %s", c->name,
                                    err && err->text ? err->text : strerror(-r));
                else if (r & GENERATED_UNIT_CHANGED)
                        reload = true;
        }
        if (reload)
                manager_request_reload(m);
}

void network_follow_start(Manager *m) {
        for (size_t i = 0; i < m->containers.n_items; i++) {
                Container *c = m->containers.items[i];
                int r;

                if (!c->start_when_ready || !m->units)
                        continue;

                /* If it is not ready, the edge is still to come and finds it in its place. */
                c->start_when_ready = false;
                if (!c->enabled || c->active || c->unresolved || !container_bridges_ready(m, c))
                        continue;
                heal_on_start_order(c);
                r = unit_client_job(m->units, UNIT_JOB_START, c->unit, NULL, NULL);
                if (r < 0)
                        log_warning_errno(r, "Container '%s': could not be started", c->name);
        }
}

/*
 * Reports of the event core
 */

void manager_on_network(Manager *m, Network *n, const char *event) {
        if (streq(event, CTVIRT_EVENT_DEFINED) || streq(event, CTVIRT_EVENT_STARTED))
                network_follow(m, n->name);
        events_network(m, n, event, "");
}

void manager_on_networks_listed(Manager *m) {
        if (m->network_files)
                network_files_on_list(m->network_files);
        if (m->taps)
                tap_watch_on_list(m->taps);
        network_follow(m, NULL);
        network_wait_listed(m);
        (void) memory_trim_soon(m->event, &m->trim_source);
}

void manager_on_bridge_ready(Manager *m, const char *bridge, bool edge) {
        const Network *n = network_table_by_bridge(&m->networks, bridge);

        if (m->taps)
                tap_watch_on_bridge(m->taps, bridge);
        if (edge)
                heal_on_edge(m, bridge);
        if (edge && n)
                events_network(m, n, CTVIRT_EVENT_READY, bridge);
        else if (edge)
                log_info("Bridge '%s': ready", bridge);
}

void manager_on_bridge_gone(Manager *m, const char *bridge) {
        log_info("Bridge '%s': not ready any more", bridge);
}

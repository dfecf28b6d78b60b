/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bridge_gather.h"

#include <time.h>

#include "agent/libvirt_link.h"

static uint64_t now_usec(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

void bridge_gathered_done(BridgeGathered *g) {
        bridge_marker_done(&g->marker);
}

static LinkState link_state(const BridgeLink *link) {
        if (link->ifindex == 0)
                return LINK_ABSENT;
        return link->up ? LINK_UP : LINK_DOWN;
}

static Recorded recorded(unsigned ifindex, const BridgeLink *link) {
        if (ifindex == 0)
                return RECORDED_NONE;
        return ifindex == link->ifindex ? RECORDED_SAME : RECORDED_OTHER;
}

static void look_at(const BridgeLink *link, BridgeSight *sight) {
        if (!link->up || link->ifindex == sight->up_ifindex)
                return;
        *sight = (BridgeSight){ .up_ifindex = link->ifindex, .up_usec = now_usec() };
}

/* A bridge of the host keeps its ifindex when its network is stopped. The hook takes the records
 * away before libvirt calls the network inactive: from then on "active" is a word from a past life.
 */
static void look_at_records(const BridgeGathered *g, BridgeSight *sight) {
        bool recorded = g->facts.marker == RECORDED_SAME || g->facts.handled == RECORDED_SAME;

        if (sight->recorded && !recorded && g->link.ifindex == sight->up_ifindex) {
                sight->up_usec = now_usec();
                sight->asked_usec = 0;
        }
        sight->recorded = recorded;
}

/* "Active" from before this incarnation is the old life's. A word that is younger is final, since
 * libvirt says nothing in the middle of a start. */
static bool is_fresh(const Network *n, const BridgeLink *link, const BridgeSight *sight) {
        return !link->up || n->asked_usec >= sight->up_usec;
}

static LibvirtView view_of(const Manager *m, const char *bridge, const BridgeSight *sight,
                           const BridgeLink *link, uint64_t *ret_asked_usec) {
        bool stale = false;

        *ret_asked_usec = UINT64_MAX;
        if (!m->networks_known)
                return LIBVIRT_VIEW_UNKNOWN;

        for (size_t i = 0; i < m->networks.n_items; i++) {
                const Network *n = m->networks.items[i];

                if (!streq_ptr(n->bridge, bridge))
                        continue;
                if (!is_fresh(n, link, sight))
                        stale = true;
                else if (n->active)
                        return LIBVIRT_VIEW_ACTIVE;
                if (n->asked_usec < *ret_asked_usec)
                        *ret_asked_usec = n->asked_usec;
        }
        return stale ? LIBVIRT_VIEW_UNKNOWN : LIBVIRT_VIEW_INACTIVE;
}

static LibvirtList list_of(const Manager *m, const BridgeSight *sight) {
        if (libvirt_link_list_usec(m->libvirt) >= sight->up_usec && m->networks_known)
                return LIBVIRT_LIST_ANSWERED;
        if (sight->asked_usec == 0)
                return LIBVIRT_LIST_NOT_ASKED;
        if (!libvirt_link_may_answer(m->libvirt) ||
            now_usec() >= sight->asked_usec + LIST_PATIENCE_USEC)
                return LIBVIRT_LIST_UNAVAILABLE;
        return LIBVIRT_LIST_PENDING;
}

static int gather_records(const Manager *m, const char *bridge, BridgeGathered *g) {
        unsigned handled;
        int r;

        r = bridge_marker_read(m->run_fd, bridge, &g->marker);
        if (r < 0 && r != -ENOENT)
                return r;
        r = bridge_handled_read(m->run_fd, bridge, &handled);
        if (r < 0)
                return r;

        g->facts.marker = recorded(g->marker.ifindex, &g->link);
        g->facts.handled = recorded(handled, &g->link);
        return 0;
}

static void gather_libvirt(const Manager *m, const char *bridge, const BridgeSight *sight,
                           BridgeGathered *g) {
        uint64_t asked_usec;

        g->facts.list = list_of(m, sight);
        g->managed = libvirt_link_manages_bridge(m->libvirt, bridge);
        if (!g->managed)
                return;

        g->network = network_table_by_bridge(&m->networks, bridge);
        g->facts.libvirt = view_of(m, bridge, sight, &g->link, &asked_usec);
        g->facts.marker_is_newer = g->marker.monotonic_usec >= asked_usec;
}

int bridge_gather(const Manager *m, const char *bridge, BridgeSight *sight, BridgeGathered *ret) {
        _cleanup_(bridge_gathered_done) BridgeGathered g = { 0 };
        int r;

        r = bridge_link_query(bridge, &g.link);
        if (r < 0)
                return r;
        look_at(&g.link, sight);
        g.facts.link = link_state(&g.link);
        r = gather_records(m, bridge, &g);
        if (r < 0)
                return r;
        look_at_records(&g, sight);
        gather_libvirt(m, bridge, sight, &g);

        *ret = g;
        g = (BridgeGathered){ 0 };
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bridge_decision.h"

static const char *const action_names[] = {
        [BRIDGE_NOTHING] = "nothing", [BRIDGE_EDGE] = "edge", [BRIDGE_MARK] = "mark",
        [BRIDGE_UNMARK] = "unmark",   [BRIDGE_GONE] = "gone", [BRIDGE_RELIST] = "relist",
};

const char *bridge_action_to_string(BridgeAction a) {
        return (size_t) a < ELEMENTSOF(action_names) ? action_names[a] : NULL;
}

static BridgeAction ask_once(const BridgeFacts *f) {
        return f->list == LIBVIRT_LIST_NOT_ASKED ? BRIDGE_RELIST : BRIDGE_NOTHING;
}

static bool list_is_final(const BridgeFacts *f) {
        return f->list == LIBVIRT_LIST_ANSWERED || f->list == LIBVIRT_LIST_UNAVAILABLE;
}

/* libvirt knows the network and calls it inactive. That is no reason to take back a marker that the
 * hook has written since libvirt was asked: it is asked again, and waits with its answer until the
 * start that it is in the middle of has ended. */
static BridgeAction decide_inactive(const BridgeFacts *f) {
        if (f->marker == RECORDED_SAME && f->marker_is_newer)
                return f->link == LINK_UP && f->handled != RECORDED_SAME ? BRIDGE_EDGE
                                                                         : BRIDGE_RELIST;
        if (f->marker == RECORDED_SAME || f->handled == RECORDED_SAME)
                return BRIDGE_GONE;
        return f->link == LINK_UP ? ask_once(f) : BRIDGE_NOTHING;
}

/* The link is up, and nobody has said yet that this incarnation is ready. */
static BridgeAction decide_fresh(const BridgeFacts *f) {
        switch (f->libvirt) {
        case LIBVIRT_VIEW_ACTIVE:
                return BRIDGE_EDGE;
        case LIBVIRT_VIEW_NONE:
                /* It may be the bridge of a network that libvirt is only just starting. */
                return list_is_final(f) ? BRIDGE_EDGE : ask_once(f);
        case LIBVIRT_VIEW_UNKNOWN:
        case LIBVIRT_VIEW_INACTIVE:
                return ask_once(f);
        }
        return BRIDGE_NOTHING;
}

/* All is done. If only the hook says so, libvirt is asked how that start ended. */
static BridgeAction decide_settled(const BridgeFacts *f) {
        return f->libvirt == LIBVIRT_VIEW_UNKNOWN ? ask_once(f) : BRIDGE_NOTHING;
}

BridgeAction bridge_decide(const BridgeFacts *f) {
        if (f->link == LINK_ABSENT)
                return f->marker != RECORDED_NONE || f->handled != RECORDED_NONE ? BRIDGE_GONE
                                                                                 : BRIDGE_NOTHING;

        /* The old life's end comes before the new one's beginning. */
        if (f->marker == RECORDED_OTHER ||
            (f->marker == RECORDED_NONE && f->handled == RECORDED_OTHER))
                return BRIDGE_GONE;
        if (f->libvirt == LIBVIRT_VIEW_INACTIVE)
                return decide_inactive(f);
        if (f->link == LINK_DOWN)
                return f->marker == RECORDED_SAME ? BRIDGE_UNMARK : BRIDGE_NOTHING;

        if (f->handled == RECORDED_SAME)
                return f->marker == RECORDED_SAME ? decide_settled(f) : BRIDGE_MARK;
        /* Whoever wrote the marker could not reach PID 1, or is just about to. */
        if (f->marker == RECORDED_SAME)
                return BRIDGE_EDGE;
        return decide_fresh(f);
}

bool bridge_facts_ready(const BridgeFacts *f) {
        bool recorded = f->marker == RECORDED_SAME || f->handled == RECORDED_SAME;

        if (f->link != LINK_UP)
                return false;

        switch (f->libvirt) {
        case LIBVIRT_VIEW_ACTIVE:
                return true;
        case LIBVIRT_VIEW_INACTIVE:
                return f->marker == RECORDED_SAME && f->marker_is_newer;
        case LIBVIRT_VIEW_UNKNOWN:
                return recorded;
        case LIBVIRT_VIEW_NONE:
                return recorded || list_is_final(f);
        }
        return false;
}

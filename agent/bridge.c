/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bridge.h"

#include "agent/libvirt_link.h"
#include "agent/plug.h"
#include "agent/start_proof.h"
#include "base/log.h"
#include "units/edge.h"
#include "units/unit_name.h"

#define LOCK_RETRY_FIRST_USEC 10000
#define LOCK_RETRY_MAX_USEC 500000
#define RETRY_FIRST_USEC 100000
#define RETRY_MAX_USEC 30000000
#define COMPLAIN_AFTER_USEC 1000000
#define TIMER_ACCURACY_USEC 1000 /* the default of sd_event_add_time(3) is 250 ms */

/* Enough for the old life's end and the new one's beginning; what is left comes with the next news.
 */
#define LOOKS_MAX 4

/* A start that the line has in hand is not wanted any more. */
static void forget_order(Bridge *b) {
        if (b->ordered_ifindex == 0)
                return;
        pid1_line_forget(b->line, b->target);
        b->ordered_ifindex = 0;
}

/* The same for a stop. */
static void forget_stop(Bridge *b) {
        if (!b->stopping)
                return;
        pid1_line_forget(b->line, b->ready_target);
        b->stopping = false;
}

/*
 * Time
 */

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Bridge *b = userdata;
        _cleanup_free_ char *name = strdup(b->name);

        if (name)
                bridge_watch_check(b->m->bridges, name);
        return 0;
}

static uint64_t now_usec(const Bridge *b) {
        uint64_t now = 0;

        (void) sd_event_now(b->m->event, CLOCK_MONOTONIC, &now);
        return now;
}

static bool will_look_within(const Bridge *b, uint64_t usec) {
        uint64_t set;
        int on;

        return b->timer && sd_event_source_get_enabled(b->timer, &on) > 0 &&
               sd_event_source_get_time(b->timer, &set) >= 0 && set <= now_usec(b) + usec;
}

/* An earlier date that is set already stands. */
static void look_again_in(Bridge *b, uint64_t usec) {
        if (will_look_within(b, usec))
                return;
        if (!b->timer) {
                (void) sd_event_add_time_relative(b->m->event, &b->timer, CLOCK_MONOTONIC, usec,
                                                  TIMER_ACCURACY_USEC, on_timer, b);
                return;
        }
        (void) sd_event_source_set_time_relative(b->timer, usec);
        (void) sd_event_source_set_enabled(b->timer, SD_EVENT_ONESHOT);
}

/* News that come in between cause attempts of their own, which say nothing of how long to wait. */
static void retry(Bridge *b, uint64_t first_usec, uint64_t max_usec) {
        if (b->retry_usec < first_usec)
                b->retry_usec = first_usec;
        if (will_look_within(b, b->retry_usec))
                return;
        look_again_in(b, b->retry_usec);
        b->retry_usec = b->retry_usec * 2 < max_usec ? b->retry_usec * 2 : max_usec;
}

/* Whoever holds the lock is at the same thing and done soon. Other failures are worth a line if
 * they last: systemd executes itself anew, or our folder is just being made again. */
static void failed(Bridge *b, int r, const char *what) {
        if (r == -EWOULDBLOCK) {
                retry(b, LOCK_RETRY_FIRST_USEC, LOCK_RETRY_MAX_USEC);
                return;
        }
        if (b->failing_usec == 0)
                b->failing_usec = now_usec(b);
        if (!b->complained && now_usec(b) >= b->failing_usec + COMPLAIN_AFTER_USEC) {
                log_error_errno(r, "Bridge %s: failed to %s, will try again", b->name, what);
                b->complained = true;
        }
        retry(b, RETRY_FIRST_USEC, RETRY_MAX_USEC);
}

static void succeeded(Bridge *b) {
        if (b->complained)
                log_info("Bridge %s: all is well again", b->name);
        b->complained = false;
        b->failing_usec = 0;
        b->retry_usec = 0;
}

/*
 * Deeds. They return true when the facts are different now, and worth another look.
 */

static void plug_once(Bridge *b, const BridgeGathered *g) {
        if (b->plugged_ifindex == g->link.ifindex)
                return;
        b->plugged_ifindex = g->link.ifindex;
        plug_on_bridge(b->m, b->name, g->link.ifindex, b->seen_not_ready);
}

static int call_edge(const Bridge *b, const BridgeGathered *g, bool prepared,
                     EdgeOutcome *ret_outcome) {
        const EdgeRoad road = pid1_line_road(b->line);
        const EdgeRequest request = {
                .bridge = b->name,
                .network = g->network ? g->network->name : g->marker.network,
                .uuid = g->network           ? &g->network->uuid
                        : g->marker.has_uuid ? &g->marker.uuid
                                             : NULL,
                .witness = g->facts.marker == RECORDED_SAME ? g->marker.witness
                           : g->managed                     ? WITNESS_LIBVIRT
                                                            : WITNESS_KERNEL,
        };

        return bridge_edge(b->m->run_fd, &request, prepared ? &road : NULL, 0, ret_outcome);
}

/* The marker, and then the start as soon as PID 1 is on the line. A witness that is at the same
 * thing, the hook most of the time, holds the lock: then there is nothing to ask PID 1, which has
 * enough to do with that one (it sends all its signals to each private connection). */
static int mark_and_start(Bridge *b, const BridgeGathered *g, int *ret_prepared,
                          EdgeOutcome *ret_outcome) {
        int r = call_edge(b, g, false, ret_outcome);

        *ret_prepared = 0;
        if (r != -ENOTCONN)
                return r;
        *ret_prepared = pid1_line_prepare(b->line);
        return *ret_prepared > 0 ? call_edge(b, g, true, ret_outcome) : r;
}

/* The start is on record when PID 1 has confirmed it, and until then each look at the bridge comes
 * here again. */
static bool do_edge(Bridge *b, const BridgeGathered *g) {
        EdgeOutcome outcome;
        int prepared, r;

        /* Of another life: the bridge of a host keeps its ifindex, but an end came in between. */
        if (b->ordered_ifindex != g->link.ifindex ||
            (g->facts.handled == RECORDED_OTHER && !b->stopping))
                forget_order(b);
        plug_once(b, g);

        r = mark_and_start(b, g, &prepared, &outcome);
        if (r == -EINPROGRESS)
                b->ordered_ifindex = g->link.ifindex;
        /* The end of the life before comes first. */
        if (r == -EINPROGRESS && g->facts.handled == RECORDED_OTHER)
                b->stopping = true;
        if (r == -EINPROGRESS || (r == -ENOTCONN && prepared == 0)) {
                b->waiting = true;
                return false;
        }
        if (r == -ENOTCONN && prepared < 0)
                failed(b, prepared, "reach systemd");
        else if (r < 0)
                failed(b, r, "start what waits for it");
        if (r < 0)
                return false;

        forget_order(b);
        /* Somebody else's start, and our stop may come behind it: see was_overtaken(). */
        if (outcome == EDGE_HANDLED && b->stopping)
                return true;
        forget_stop(b);
        if (outcome == EDGE_MADE) {
                if (b->overtaken)
                        log_info("Bridge %s: the start of its containers was queued again, behind "
                                 "the stop of its last life",
                                 b->name);
                else
                        log_info("Bridge %s is ready", b->name);
                b->overtaken = false;
                b->ready_ifindex = 0;
                b->made_ifindex = g->link.ifindex;
        }
        return outcome != EDGE_NOT_READY;
}

static bool do_mark(Bridge *b, const BridgeGathered *g) {
        EdgeOutcome outcome;
        int r = call_edge(b, g, false, &outcome);

        /* Not handled any more: that is an edge, and the next look will see it. */
        if (r == -ENOTCONN)
                return true;
        if (r < 0)
                failed(b, r, "write its marker");
        return r >= 0 && outcome != EDGE_NOT_READY;
}

static bool do_unmark(Bridge *b) {
        int r = bridge_marker_remove(b->m->run_fd, b->name);

        if (r < 0)
                failed(b, r, "remove its marker");
        return r >= 0;
}

static bool do_gone(Bridge *b, const BridgeGathered *g) {
        const EdgeRoad road = pid1_line_road(b->line);
        int r;

        forget_order(b);
        r = bridge_incarnation_gone(b->m->run_fd, b->name, g->marker.ifindex, &road, 0);
        if (r == -EINPROGRESS) {
                b->stopping = b->waiting = true;
                return false;
        }
        /* A stop that the line has in hand stays ours, above all when a witness holds the lock. */
        if (r < 0) {
                failed(b, r, "stop its targets");
                return false;
        }
        forget_stop(b);
        return true;
}

/* The new life's start, by somebody else, while our stop of the old one was under way: nobody knows
 * which of the two PID 1 carried out last. So the start is made again, behind our stop. */
static bool was_overtaken(Bridge *b, const BridgeGathered *g) {
        bool stopping = b->stopping;

        forget_stop(b);
        b->overtaken = stopping && g->facts.handled == RECORDED_SAME &&
                       bridge_handled_remove(b->m->run_fd, b->name) > 0;
        return b->overtaken;
}

static bool do_relist(Bridge *b) {
        bool first = b->sight.asked_usec == 0;

        libvirt_link_relist(b->m->libvirt);
        if (first)
                b->sight.asked_usec = now_usec(b);
        return first;
}

static bool act(Bridge *b, const BridgeGathered *g, BridgeAction action) {
        switch (action) {
        case BRIDGE_NOTHING:
                succeeded(b);
                return false;
        case BRIDGE_EDGE:
                return do_edge(b, g);
        case BRIDGE_MARK:
                return do_mark(b, g);
        case BRIDGE_UNMARK:
                return do_unmark(b);
        case BRIDGE_GONE:
                return do_gone(b, g);
        case BRIDGE_RELIST:
                return do_relist(b);
        }
        return false;
}

/*
 * Looking
 */

static void tell_gone(Bridge *b) {
        b->ready_ifindex = b->plugged_ifindex = b->made_ifindex = 0;
        start_proof_cancel(b->m, b->name);
        manager_on_bridge_gone(b->m, b->name);
}

static void tell_ready(Bridge *b, const BridgeGathered *g) {
        if (b->ready_ifindex == g->link.ifindex)
                return;
        if (b->ready_ifindex != 0) {
                tell_gone(b);
                b->seen_not_ready = true;
        }

        /* Somebody else made the edge. */
        plug_once(b, g);
        if (b->seen_not_ready && b->made_ifindex != g->link.ifindex &&
            g->marker.witness == WITNESS_HOOK)
                (void) start_proof_begin(b->m, b->name, g->link.ifindex);
        b->ready_ifindex = g->link.ifindex;
        manager_on_bridge_ready(b->m, b->name, b->seen_not_ready);
}

/* The records alone may have been removed by anybody; what counts is what libvirt says then. */
static bool has_gone(const Bridge *b, const BridgeGathered *g) {
        const BridgeFacts *f = &g->facts;

        if (g->link.ifindex != b->ready_ifindex)
                return true;
        if (f->marker != RECORDED_NONE || f->handled != RECORDED_NONE)
                return false;
        return f->libvirt == LIBVIRT_VIEW_INACTIVE ||
               (f->libvirt == LIBVIRT_VIEW_UNKNOWN && f->list == LIBVIRT_LIST_UNAVAILABLE);
}

/* What the rest of the agent is told follows from the facts alone, whoever made them so. */
static void tell(Bridge *b, const BridgeGathered *g) {
        if (g->facts.handled == RECORDED_SAME && bridge_facts_ready(&g->facts)) {
                tell_ready(b, g);
                return;
        }
        b->seen_not_ready = true;
        if (b->ready_ifindex != 0 && has_gone(b, g))
                tell_gone(b);
}

static bool is_forgettable(const Bridge *b, const BridgeGathered *g) {
        return g->link.ifindex == 0 && !g->managed && g->facts.marker == RECORDED_NONE &&
               g->facts.handled == RECORDED_NONE && !b->waiting && b->ready_ifindex == 0;
}

/* Returns false if this may have to be done once more. */
static bool look_once(Bridge *b, bool *ret_forget) {
        _cleanup_(bridge_gathered_done) BridgeGathered g = { 0 };
        BridgeAction action;
        int r;

        r = bridge_gather(b->m, b->name, &b->sight, &g);
        if (r < 0) {
                failed(b, r, "look at it");
                return true;
        }

        action = bridge_decide(&g.facts);
        if (action != BRIDGE_NOTHING)
                log_debug("Bridge %s: %s", b->name, bridge_action_to_string(action));
        if (action != BRIDGE_EDGE)
                forget_order(b);
        if (action != BRIDGE_EDGE && action != BRIDGE_GONE && was_overtaken(b, &g))
                return false;
        if (act(b, &g, action))
                return false;
        if (g.facts.list == LIBVIRT_LIST_PENDING)
                look_again_in(b, LIST_PATIENCE_USEC);

        tell(b, &g);
        *ret_forget = is_forgettable(b, &g);
        return true;
}

bool bridge_look(Bridge *b) {
        bool forget = false;

        b->waiting = false;
        for (unsigned i = 0; i < LOOKS_MAX && !look_once(b, &forget); i++)
                ;
        return forget;
}

int bridge_new(Manager *m, Pid1Line *line, const char *name, Bridge **ret) {
        _cleanup_(bridge_freep) Bridge *b = calloc(1, sizeof(*b));

        if (!b)
                return -ENOMEM;
        b->m = m;
        b->line = line;
        b->name = strdup(name);
        b->target = bridge_target_name(BRIDGE_TARGET_AUTOSTART, name);
        b->ready_target = bridge_target_name(BRIDGE_TARGET_READY, name);
        if (!b->name || !b->target || !b->ready_target)
                return -ENOMEM;
        *ret = TAKE_PTR(b);
        return 0;
}

Bridge *bridge_free(Bridge *b) {
        if (!b)
                return NULL;
        forget_order(b);
        forget_stop(b);
        sd_event_source_disable_unref(b->timer);
        free(b->name);
        free(b->target);
        free(b->ready_target);
        free(b);
        return NULL;
}

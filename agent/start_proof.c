/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/start_proof.h"

#include "agent/unit_facts.h"
#include "base/log.h"
#include "units/bridge_marker.h"
#include "units/unit_name.h"

/* PID 1 has taken the order in by then, unless it is reloading; then its answer comes behind that. */
#define LOOK_AFTER_USEC 1000000
#define ACCURACY_USEC 100000

struct StartProof {
        Manager *m;
        char *bridge;
        unsigned ifindex;
        bool asked; /* an answer is under way */
        bool cancelled;
        sd_event_source *timer;
        LIST_ENTRY(StartProof) link;
};

static StartProof *start_proof_free(StartProof *p) {
        if (!p)
                return NULL;
        LIST_REMOVE(p, link);
        sd_event_source_disable_unref(p->timer);
        free(p->bridge);
        free(p);
        return NULL;
}
DEFINE_CLEANUP(StartProof *, start_proof_free)

/* Marker and record are still those of that life, and it was the hook that made them. */
static bool is_current(const StartProof *p) {
        _cleanup_marker_ BridgeMarker marker = { 0 };
        unsigned handled;

        return bridge_marker_read(p->m->run_fd, p->bridge, &marker) >= 0 &&
               marker.ifindex == p->ifindex && marker.witness == WITNESS_HOOK &&
               bridge_handled_read(p->m->run_fd, p->bridge, &handled) >= 0 && handled == p->ifindex;
}

/* ctvirt-bridge@BRIDGE.target waits for nothing: it is active as soon as the order is carried out.
 * The target that was ordered, and requires this one, waits for its containers. */
static bool was_lost(const UnitFacts *facts) {
        return facts->job == 0 && streq(facts->active_state, "inactive");
}

static void on_facts(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(start_proof_freep) StartProof *p = userdata;
        UnitFacts facts;

        if (p->cancelled || error || unit_facts_read(reply, &facts) < 0 || !was_lost(&facts) ||
            !is_current(p) || bridge_handled_remove(p->m->run_fd, p->bridge) <= 0)
                return;
        log_warning(
                "Bridge %s: libvirt's hook has ordered the start of its containers, and systemd "
                "has not started them; ordering it again (does SELinux let the hook start "
                "units?)",
                p->bridge);
        bridge_watch_check(p->m->bridges, p->bridge);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        _cleanup_(start_proof_freep) StartProof *p = userdata;
        _cleanup_free_ char *target = bridge_target_name(BRIDGE_TARGET_READY, p->bridge);

        /* Without the bus nobody can be asked. */
        if (!target || !p->m->calls || !is_current(p))
                return 0;
        p->asked = unit_facts_call(p->m->bus, p->m->calls, target, on_facts, p) >= 0;
        if (p->asked)
                (void) TAKE_PTR(p);
        return 0;
}

int start_proof_begin(Manager *m, const char *bridge, unsigned ifindex) {
        StartProof *p = calloc(1, sizeof(*p));
        int r;

        if (!p)
                return -ENOMEM;
        p->m = m;
        p->ifindex = ifindex;
        LIST_INSERT_HEAD(&m->start_proofs, p, link);
        p->bridge = strdup(bridge);
        r = p->bridge ? sd_event_add_time_relative(m->event, &p->timer, CLOCK_MONOTONIC,
                                                   LOOK_AFTER_USEC, ACCURACY_USEC, on_timer, p)
                      : -ENOMEM;
        if (r < 0)
                start_proof_free(p);
        return r;
}

void start_proof_cancel(Manager *m, const char *bridge) {
        StartProof *p, *next;

        for (p = LIST_FIRST(&m->start_proofs); p; p = next) {
                next = LIST_NEXT(p, link);
                if (!streq(p->bridge, bridge))
                        continue;
                if (p->asked)
                        p->cancelled = true;
                else
                        start_proof_free(p);
        }
}

void start_proofs_free(Manager *m) {
        StartProof *p;

        while ((p = LIST_FIRST(&m->start_proofs)))
                start_proof_free(p);
}

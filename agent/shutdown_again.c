/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/shutdown_again.h"

#include <signal.h>

#include "agent/manager.h"
#include "agent/unit_transition.h"
#include "base/log.h"
#include "units/generated.h"

#define MACHINED_NAME "org.freedesktop.machine1"
#define MACHINED_PATH "/org/freedesktop/machine1"
#define MACHINED_MANAGER "org.freedesktop.machine1.Manager"

#define INTERVAL_USEC (UINT64_C(1) * 1000 * 1000)
#define INTERVAL_ACCURACY_USEC (UINT64_C(50) * 1000)
#define TIMES_MAX 60

/* An init that halts already has no use for another one, and no harm from it. Nobody needs the
 * answer: a container that has gone meanwhile is what was wanted. */
static void tell_leader(const Container *c) {
        if (!c->manager->bus)
                return;
        (void) sd_bus_call_method_async(c->manager->bus, NULL, MACHINED_NAME, MACHINED_PATH,
                                        MACHINED_MANAGER, "KillMachine", NULL, NULL, "ssi", c->name,
                                        "leader", (int32_t) (SIGRTMIN + 3));
}

static int on_interval(sd_event_source *source, uint64_t usec, void *userdata) {
        Container *c = userdata;
        UnitPhase phase = unit_phase(c->active_state, c->sub_state);

        if (phase == UNIT_PHASE_DOWN || c->destroy_requested || c->shutdown_times++ >= TIMES_MAX) {
                c->shutdown_timer = sd_event_source_disable_unref(c->shutdown_timer);
                return 0;
        }

        /* While it is up the stop has not begun, and is not ours to do. */
        if (phase == UNIT_PHASE_STOPPING)
                tell_leader(c);
        if (sd_event_source_set_time_relative(source, INTERVAL_USEC) < 0)
                return 0;
        (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

void shutdown_again_start(Container *c) {
        int r;

        if (c->def && !generated_boots_init(c->def))
                return;

        c->shutdown_times = 0;
        c->shutdown_timer = sd_event_source_disable_unref(c->shutdown_timer);
        r = sd_event_add_time_relative(c->manager->event, &c->shutdown_timer, CLOCK_MONOTONIC,
                                       INTERVAL_USEC, INTERVAL_ACCURACY_USEC, on_interval, c);
        if (r < 0)
                log_warning_errno(r, "Container '%s': is told to shut down only once", c->name);
}

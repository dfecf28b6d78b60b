/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/unit_transition.h"

UnitPhase unit_phase(const char *active_state, const char *sub_state) {
        if (isempty(active_state) || streq(active_state, "inactive") ||
            streq(active_state, "failed"))
                return UNIT_PHASE_DOWN;
        /* nspawn has exited with 133, which stands for a reboot from inside. */
        if (streq(active_state, "activating") &&
            startswith(sub_state ? sub_state : "", "auto-restart"))
                return UNIT_PHASE_DOWN;
        if (streq(active_state, "activating"))
                return UNIT_PHASE_STARTING;
        if (streq(active_state, "deactivating"))
                return UNIT_PHASE_STOPPING;
        return UNIT_PHASE_UP; /* active, reloading, and what later versions call that */
}

UnitTransition unit_transition(const char *old_active_state, const char *old_sub_state,
                               const char *active_state, const char *sub_state) {
        UnitPhase old = unit_phase(old_active_state, old_sub_state);
        UnitPhase new = unit_phase(active_state, sub_state);
        bool failed = streq_ptr(active_state, "failed");

        if (new == UNIT_PHASE_UP)
                return old == UNIT_PHASE_UP ? UNIT_TRANSITION_NONE : UNIT_TRANSITION_STARTED;
        if (new != UNIT_PHASE_DOWN)
                return UNIT_TRANSITION_NONE;

        /* Down before and after: a start that failed so fast that nothing of it was seen. */
        if (old == UNIT_PHASE_DOWN)
                return failed && !streq_ptr(old_active_state, "failed") ? UNIT_TRANSITION_FAILED
                                                                        : UNIT_TRANSITION_NONE;
        return failed ? UNIT_TRANSITION_FAILED : UNIT_TRANSITION_ENDED;
}

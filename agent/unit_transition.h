#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a change of a unit's state means for the container: a pure function over systemd's words
 * (org.freedesktop.systemd1(5), ActiveState and SubState).
 */

#include "base/macro.h"

typedef enum UnitPhase {
        UNIT_PHASE_DOWN, /* nothing runs; also between two lives, when a reboot starts it again */
        UNIT_PHASE_STARTING,
        UNIT_PHASE_UP,
        UNIT_PHASE_STOPPING,
} UnitPhase;

typedef enum UnitTransition {
        UNIT_TRANSITION_NONE,
        UNIT_TRANSITION_STARTED,
        UNIT_TRANSITION_ENDED,
        UNIT_TRANSITION_FAILED,
} UnitTransition;

UnitPhase unit_phase(const char *active_state, const char *sub_state);

UnitTransition unit_transition(const char *old_active_state, const char *old_sub_state,
                               const char *active_state, const char *sub_state);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What systemd knows of one unit at this moment, for an answer that needs more than the state that
 * UnitClient follows.
 */

#include "agent/request.h"

typedef struct UnitFacts {
        const char *active_state; /* owned by the message that they were read from; never NULL */
        const char *result;
        bool condition_result;
        uint64_t cpu_usage_nsec; /* 0: not known */
        uint64_t memory_current; /* bytes; 0: not known */
} UnitFacts;

/* Asks for them; on_reply gets the request as userdata, and may call unit_facts_read(). Reading
 * makes systemd load the unit if it has not, so this is for units that are known to be there. */
void unit_facts_request(Request *request, const char *unit, BusCallHandler on_reply);

/* Negative errno when the answer is none. */
int unit_facts_read(sd_bus_message *reply, UnitFacts *ret);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What systemd knows of one unit at this moment, for an answer that needs more than the state that
 * UnitClient follows.
 */

#include <systemd/sd-id128.h>

#include "agent/request.h"

typedef struct UnitFacts {
        const char *active_state; /* owned by the message that they were read from; never NULL */
        const char *result;
        bool condition_result;
        uint32_t job;            /* its ID; 0: the unit has none */
        uint64_t cpu_usage_nsec; /* 0: not known */
        uint64_t memory_current; /* bytes; 0: not known */

        /* its last start; all 0: it never was started */
        sd_id128_t invocation;
        uint32_t main_pid; /* that of nspawn, also after its end */
        uint64_t main_start_monotonic_usec;
        uint64_t active_enter_monotonic_usec; /* may be that of an earlier start */
} UnitFacts;

/* Asks for them; on_reply gets the request as userdata, and may call unit_facts_read(). Reading
 * makes systemd load the unit if it has not, so this is for units that are known to be there. */
void unit_facts_request(Request *request, const char *unit, BusCallHandler on_reply);

/* The same for a call that answers no request. */
int unit_facts_call(sd_bus *bus, BusCalls *calls, const char *unit, BusCallHandler on_reply,
                    void *userdata);

/* Negative errno when the answer is none. */
int unit_facts_read(sd_bus_message *reply, UnitFacts *ret);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * FailureCause: why a start failed, in systemd-nspawn's own words: the last line that it wrote to
 * the journal in that invocation of its unit.
 *
 * The journal is on disk and may be large, so it is read by a thread. The line may come some
 * milliseconds after the news that the unit has failed; it is waited for a second at most.
 */

#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>

#include "base/macro.h"

typedef struct FailureCause FailureCause;

typedef struct FailureQuestion {
        uint64_t cookie; /* of the one who asks */
        sd_id128_t invocation;
        uint32_t pid;        /* nspawn's; journald often knows a short life by nothing else */
        uint64_t start_usec; /* CLOCK_MONOTONIC, in this boot: the start of that process */
} FailureQuestion;

/* line: one printable line, or NULL when there is none. Called once a question, from the event
 * loop, unless the object is freed before. */
typedef void (*FailureCauseHandler)(uint64_t cookie, const char *line, void *userdata);

int failure_cause_new(sd_event *event, FailureCauseHandler handler, void *userdata,
                      FailureCause **ret);
int failure_cause_ask(FailureCause *f, const FailureQuestion *question);

FailureCause *failure_cause_free(FailureCause *f);
DEFINE_CLEANUP(FailureCause *, failure_cause_free)

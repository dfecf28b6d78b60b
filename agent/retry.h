#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether a start that failed is worth another try: a pure function over plain facts. Only causes
 * that pass by themselves are; whatever a person has to mend would fail again, and is reported
 * instead.
 *
 * tests/unit/test_retry.c has a row a situation and is the specification.
 */

#include "base/macro.h"

#define RETRIES_MAX 3

typedef enum FailureKind {
        FAILURE_LASTING,        /* a person has to look at it; also when nothing is known */
        FAILURE_NAME_TAKEN,     /* machined has a machine of that name */
        FAILURE_BRIDGE_MISSING, /* the bridge went while nspawn was starting */
        FAILURE_LINK_EXISTS,    /* the veth pair of its last life is still there */
        FAILURE_MOUNT_LEFT,     /* as destroy_clean_up() takes it away (systemd >= 256) */
        FAILURE_MACHINED_BUSY,  /* it did not answer in time: hundreds start together */
        FAILURE_BUS_AWAY,       /* the system bus, by which nspawn tells machined of a container */
} FailureKind;

/* The kind of failure that nspawn's last line tells of; NULL: it said nothing. */
FailureKind failure_kind(const char *line);
const char *failure_kind_to_string(FailureKind kind);

typedef struct RetryFacts {
        FailureKind kind;
        bool enabled;
        bool ours;          /* the start came from an edge or from `ctvirt start`, and nobody has
                             * given the unit another order since */
        bool bridges_ready; /* all of them; if not, the edge to come starts it */
        unsigned tried;     /* how often it was tried again since that start */
} RetryFacts;

typedef enum RetryAction {
        RETRY_NEVER,
        RETRY_AGAIN,   /* after *ret_delay_usec */
        RETRY_GIVE_UP, /* it was tried often enough */
} RetryAction;

RetryAction retry_decide(const RetryFacts *facts, uint64_t *ret_delay_usec);

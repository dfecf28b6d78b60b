#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How long the hook may take. libc only: the program has it before the module is there.
 */

#include "base/macro.h"

#define MSEC 1000
/* The agent sees the marker and does what we leave undone. */
#define PATIENCE_WITH_AGENT_USEC (UINT64_C(250) * MSEC)
#define PATIENCE_ALONE_USEC (UINT64_C(5000) * MSEC)
/* For everything that has no deadline of its own: a file system, journald. */
#define PATIENCE_MARGIN_USEC (UINT64_C(250) * MSEC)

/* CLOCK_MONOTONIC */
uint64_t deadline_now(void);

/* SIGALRM after that time: the last resort, whatever we hang in by then. */
void deadline_arm(uint64_t usec);

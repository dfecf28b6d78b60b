#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RetryRecord: how often the start of a container was tried again, for an agent that begins a new
 * life in between. CTVIRT_RUN_DIR/retries/NAME, a few `KEY=value` lines; it is there from a failure
 * for a passing cause on, until the container runs or its start is ordered anew.
 */

#include <systemd/sd-id128.h>

#include "base/macro.h"

typedef struct RetryRecord {
        sd_id128_t invocation; /* of the unit, at the failure */
        unsigned tried;        /* RETRIES_MAX: that was enough, or somebody else decides */
        uint64_t usec;         /* CLOCK_MONOTONIC, when it was written */
} RetryRecord;

/* run_fd: as run_dir_open() returns it. name: a container's. -ENOENT also for what is no record. */
int retry_record_read(int run_fd, const char *name, RetryRecord *ret);

/* usec is filled in. */
int retry_record_write(int run_fd, const char *name, const RetryRecord *record);

/* 1 if it was there, 0 if not. */
int retry_record_remove(int run_fd, const char *name);

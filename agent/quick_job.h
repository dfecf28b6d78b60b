#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Jobs that take next to no time (a rename, a snapshot on btrfs), for which a process of their own
 * would be most of the work: the agent's worker thread runs the same job_run() as ctvirt-job.
 */

#include "agent/job.h"

/* Jobs of this kind take next to no time in some pools. */
bool quick_job_is_possible(JobKind kind);

/* The thread looks whether it does in this one. The job is read from its folder, where it has been
 * written. Then job_on_worker_end() is called when it is over, or job_on_worker_refused() if it has
 * not been begun. */
int quick_job_start(const Job *job);

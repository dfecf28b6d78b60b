#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One piece of work on the pool, whoever does it: the program ctvirt-job, or for what takes no time
 * the agent's worker thread.
 */

#include "agent/bootstrap/job_report.h"
#include "agent/bootstrap/job_spec.h"

typedef struct JobContext {
        const char *root; /* put before the paths of all files; "" on a host */
        int jobs_fd;      /* the folder of all jobs */
        int input_fd;     /* of an upload or an import; -1: none */
        int output_fd;    /* of a download or an export; -1: none */
        const JobReport *report;
        /* Makes systemd mount what JOB_POOL_BUILD has written a unit for; NULL: not here. */
        int (*mount_pool)(Error **err);
} JobContext;

/* Sentences that are no error are added to *ret_notes. -ECANCELED: report->canceled() said so. */
int job_run(const JobContext *context, const JobSpec *spec, char ***ret_notes, Error **err);

/* After a job that did not end by itself: what it was building goes. */
int job_clean(const JobContext *context, const char *id, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * JobResult: what came of a job, /run/ctvirt/jobs/ID/result. It is written once, whole, as the last
 * thing that ctvirt-job does; a job that has ended without one was killed.
 */

#include "agent/bootstrap/job_spec.h"

typedef enum JobOutcome {
        JOB_OUTCOME_DONE,
        JOB_OUTCOME_FAILED,
        JOB_OUTCOME_CANCELED,
} JobOutcome;

const char *job_outcome_to_string(JobOutcome o); /* "done", "failed", "canceled" */
int job_outcome_from_string(const char *s);      /* -EINVAL */

typedef struct JobResult {
        JobOutcome outcome;
        char *text; /* why it failed, or what else there is to say; NULL: nothing */
} JobResult;

/* text may be NULL; control characters but the newline become '?'. */
int job_result_save(int jobs_fd, const char *id, JobOutcome outcome, const char *text);
/* -ENOENT: there is none; -EINVAL: it is damaged. */
int job_result_load(int jobs_fd, const char *id, JobResult *ret);
void job_result_done(JobResult *r);
#define _cleanup_job_result_ _cleanup_(job_result_done)

/* True for jobs that have no result yet; userdata is jobs_fd, an int. For pool_clean() and the like. */
bool job_is_at_work(void *userdata, const char *id);
/* True if there is such a job of that kind. */
bool job_kind_is_at_work(int jobs_fd, JobKind kind);

/* A note of the agent beside it: it has done what follows from the result. */
int job_result_settle(int jobs_fd, const char *id);
bool job_result_is_settled(int jobs_fd, const char *id);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the agent does when a job is over, before anybody is told: a container is thawed or started
 * again, a definition is taken over, a new root gets its generated files.
 */

#include "agent/job.h"

/* *state and *text are what the job says of its end; a definition that is refused makes a failure
 * of it. */
void job_after(Job *job, JobState *state, char **text);

/* Of a job that comes with a definition and was killed: it had made its root by then, and only the
 * definition is not taken over yet. */
bool job_after_is_made(const Job *job);

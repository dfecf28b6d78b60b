#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Freezing a running container while its root is copied, so that the copy is what it was at one
 * moment. The order to freeze stands in the job's folder before it is given (JOB_FREEZE): whoever
 * finds it there after the job thaws the container, which does nothing to one that is not frozen.
 */

#include "agent/job.h"

/* Goes on with next when it is frozen. One that cannot be frozen within some seconds is copied as it
 * runs, as that is better than no copy; the job then ends with a warning. */
int job_freeze(Job *job, JobStep next);
/* Unless it has been, or another job needs it frozen. */
void job_thaw(Job *job);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Behind a job whose container is frozen meanwhile (JOB_FREEZE): the agent thaws it, but may be dead.
 */

#include "agent/bootstrap/job_spec.h"

/* Does nothing for other jobs, to a container that is not frozen, and while another job needs it
 * frozen. */
int job_thaw_behind(int jobs_fd, const JobSpec *spec, Error **err);

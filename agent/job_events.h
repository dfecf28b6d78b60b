#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the bus is told of jobs.
 */

#include "agent/job.h"

/* The keys of Job.GetInfo() as an a{sv}. */
int job_info_append(sd_bus_message *m, const Job *job);

/* The signal JobEvent; event is CTVIRT_JOB_*. */
void job_event(const Job *job, const char *event);

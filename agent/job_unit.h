#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The transient unit that works on a job: what it may do, by the job's kind, and following it from
 * its start to its end. All of it over the bus; nothing here waits.
 */

#include "agent/job.h"

/* Asks systemd to start the unit. When that fails, or whenever it ends, job_on_unit_end() (job_life.h)
 * is called, once, from the event loop. Negative errno: it never will. */
int job_unit_start(Job *job);

/* The same for a unit that may be running already, or have ended without us. */
int job_unit_follow(Job *job);

/* Asks systemd to stop it, which the job takes for the wish to be canceled. */
int job_unit_stop(Job *job);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Jobs that the agent finds: those of its last life, which run on, or have ended meanwhile, or were
 * killed with the host; and what they have left in the pool.
 */

#include "agent/manager.h"

/* At the start, before anything else is done with the pool: reads the folders of all jobs. */
void job_recover_load(Manager *m);

/* With a new bus: those that ran are looked for, and those that end have their end dealt with. */
void job_recover_follow(Manager *m);

void job_recover_bus_gone(Manager *m);

/* Starts a `clean` job if there is anything in the trash, or half-done work of a job that does not
 * run. */
void job_recover_leftovers(Manager *m);

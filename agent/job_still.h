#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A container that runs while its root goes out as a stream: whoever reads that can take his time.
 * Where a snapshot costs next to nothing (btrfs) the job reads from one, and the container is frozen
 * for that moment only; elsewhere it is for as long as the job takes.
 */

#include "agent/job_freeze.h"

/* A job that writes its volume to somebody else's file. */
bool job_still_is_wanted(const JobSpec *spec);

/* For a job whose container is frozen: takes a snapshot of it (volume_take_still()) and thaws it, or
 * leaves it frozen. Goes on with next either way. */
int job_still_take(Job *job, JobStep next);

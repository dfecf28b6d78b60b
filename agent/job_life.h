#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The life of a job: begin (written down, then what has to be so before it, then the work), and end
 * (its result, what the agent has to do after it, what people are told).
 */

#include "agent/job.h"

/*
 * Begins a job: the ID is made, spec is taken over (also on failure), and so are the descriptors
 * (-1: none). ERRNO_OPERATION_INVALID with a sentence: another one is at work on the same volume,
 * or there are too many. What else speaks against it is the caller's to know.
 */
int job_begin(Manager *m, JobSpec *spec, int input_fd, int output_fd, bool stop_first, Job **ret,
              Error **err);

/* Asks it to end. -EALREADY: it is over. */
int job_cancel(Job *job);

/* From the unit: news of its status; its end, refused says why systemd would not start it (NULL: it
 * did). */
void job_on_progress(Job *job);
void job_on_unit_end(Job *job, const char *refused);

/* From the worker thread. r: what job_run() returned; text: taken over. */
void job_on_worker_end(Manager *m, const char *id, int r, char *text);
/* It takes too long for the thread, which has not begun it. */
void job_on_worker_refused(Manager *m, const char *id);

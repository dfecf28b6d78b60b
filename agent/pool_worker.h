#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PoolWorker: a thread of the agent for jobs that take next to no time (a rename, a snapshot on
 * btrfs), for which a process of their own would be most of the work. It runs the same job_run() as
 * ctvirt-job. It shares nothing with the main loop: jobs go in, what came of them comes out.
 */

#include <systemd/sd-event.h>

#include "agent/bootstrap/job_spec.h"

typedef struct PoolWorker PoolWorker;

/* r: what job_run() returned; text: why it failed or its notes, to be taken over. Called from the
 * event loop. */
typedef void (*PoolWorkerHandler)(const char *id, int r, char *text, void *userdata);

/* jobs_fd: the folder of all jobs, which outlives the worker. */
int pool_worker_new(sd_event *event, const char *root, int jobs_fd, PoolWorkerHandler handler,
                    void *userdata, PoolWorker **ret);

/* Whether this job takes next to no time on this host. */
bool pool_worker_is_quick(const char *root, const JobSpec *spec);

/* The job is read from its folder, where it has been written. */
int pool_worker_push(PoolWorker *w, const char *id);

/* Waits for the job that is under way; those behind it are not done. */
PoolWorker *pool_worker_free(PoolWorker *w);
DEFINE_CLEANUP(PoolWorker *, pool_worker_free)

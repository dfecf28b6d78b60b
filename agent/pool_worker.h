#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PoolWorker: a thread of the agent on which it works on the pool itself: questions about it
 * (pool_question.h), and jobs that take next to no time (quick_job.h). A filesystem can be slow, or
 * frozen; the main loop never waits for it, and those who only ask have a thread of their own. It
 * shares nothing with the main loop: a task goes in with all that it needs, and comes out with what
 * came of it, one after the other.
 */

#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct PoolWorker PoolWorker;

typedef struct PoolTask {
        void (*work)(void *data); /* on the thread; touches nothing but its data */
        void (*done)(void *data); /* from the event loop, after it; takes the data over */
        void (*drop)(void *data); /* instead of done(), when the agent ends before it */
} PoolTask;

int pool_worker_new(sd_event *event, PoolWorker **ret);

/* The task must outlive the worker; data is taken over, but not on failure. */
int pool_worker_push(PoolWorker *w, const PoolTask *task, void *data);

/* Waits for the task that is under way; those behind it are not done. */
PoolWorker *pool_worker_free(PoolWorker *w);
DEFINE_CLEANUP(PoolWorker *, pool_worker_free)

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool_worker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/queue.h>

typedef struct Work {
        const PoolTask *task;
        void *data;
        STAILQ_ENTRY(Work) entry;
} Work;

typedef STAILQ_HEAD(WorkList, Work) WorkList;

struct PoolWorker {
        sd_event_source *source;
        int done_fd; /* eventfd(2): readable while something may be in done */

        pthread_t thread;
        bool started;
        pthread_mutex_t mutex; /* of all that follows */
        pthread_cond_t wake;
        WorkList todo, done;
        bool quit;
};

static void work_list_drop(WorkList *l) {
        Work *w;

        while ((w = STAILQ_FIRST(l))) {
                STAILQ_REMOVE_HEAD(l, entry);
                w->task->drop(w->data);
                free(w);
        }
}

/*
 * The thread
 */

static Work *take_work(PoolWorker *w) {
        Work *work = NULL;

        (void) pthread_mutex_lock(&w->mutex);
        while (!w->quit && STAILQ_EMPTY(&w->todo))
                (void) pthread_cond_wait(&w->wake, &w->mutex);
        if (!w->quit) {
                work = STAILQ_FIRST(&w->todo);
                STAILQ_REMOVE_HEAD(&w->todo, entry);
        }
        (void) pthread_mutex_unlock(&w->mutex);
        return work;
}

static void *thread_main(void *userdata) {
        PoolWorker *w = userdata;
        Work *work;

        while ((work = take_work(w))) {
                work->task->work(work->data);
                (void) pthread_mutex_lock(&w->mutex);
                STAILQ_INSERT_TAIL(&w->done, work, entry);
                (void) pthread_mutex_unlock(&w->mutex);
                (void) eventfd_write(w->done_fd, 1);
        }
        return NULL;
}

/*
 * The main loop's side
 */

static int on_done(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        PoolWorker *w = userdata;
        WorkList done = STAILQ_HEAD_INITIALIZER(done);
        eventfd_t count;
        Work *work;

        (void) eventfd_read(fd, &count);
        (void) pthread_mutex_lock(&w->mutex);
        STAILQ_CONCAT(&done, &w->done);
        (void) pthread_mutex_unlock(&w->mutex);

        while ((work = STAILQ_FIRST(&done))) {
                STAILQ_REMOVE_HEAD(&done, entry);
                work->task->done(work->data);
                free(work);
        }
        return 0;
}

/* Signals are the main loop's. */
static int start_thread(PoolWorker *w) {
        sigset_t all, old;
        int r;

        (void) sigfillset(&all);
        r = pthread_sigmask(SIG_SETMASK, &all, &old);
        if (r == 0)
                r = pthread_create(&w->thread, NULL, thread_main, w);
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
        w->started = r == 0;
        return -r;
}

int pool_worker_new(sd_event *event, PoolWorker **ret) {
        _cleanup_(pool_worker_freep) PoolWorker *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        STAILQ_INIT(&w->todo);
        STAILQ_INIT(&w->done);
        (void) pthread_mutex_init(&w->mutex, NULL);
        (void) pthread_cond_init(&w->wake, NULL);
        w->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (w->done_fd < 0)
                return negative_errno();

        r = sd_event_add_io(event, &w->source, w->done_fd, EPOLLIN, on_done, w);
        if (r >= 0)
                r = start_thread(w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

int pool_worker_push(PoolWorker *w, const PoolTask *task, void *data) {
        Work *work = calloc(1, sizeof(*work));

        if (!work)
                return -ENOMEM;
        work->task = task;
        work->data = data;
        (void) pthread_mutex_lock(&w->mutex);
        STAILQ_INSERT_TAIL(&w->todo, work, entry);
        (void) pthread_cond_signal(&w->wake);
        (void) pthread_mutex_unlock(&w->mutex);
        return 0;
}

PoolWorker *pool_worker_free(PoolWorker *w) {
        if (!w)
                return NULL;
        if (w->started) {
                (void) pthread_mutex_lock(&w->mutex);
                w->quit = true;
                (void) pthread_cond_signal(&w->wake);
                (void) pthread_mutex_unlock(&w->mutex);
                (void) pthread_join(w->thread, NULL);
        }
        sd_event_source_disable_unref(w->source);
        work_list_drop(&w->todo);
        work_list_drop(&w->done);
        closep(&w->done_fd);
        (void) pthread_cond_destroy(&w->wake);
        (void) pthread_mutex_destroy(&w->mutex);
        free(w);
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool_worker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/queue.h>

#include "agent/bootstrap/job_run.h"
#include "agent/pool/pool_backend.h"
#include "agent/pool/volume.h"

typedef struct Work {
        char id[JOB_ID_LENGTH + 1];
        int result;
        char *text;
        STAILQ_ENTRY(Work) entry;
} Work;

typedef STAILQ_HEAD(WorkList, Work) WorkList;

struct PoolWorker {
        char *root;
        int jobs_fd;
        PoolWorkerHandler handler;
        void *userdata;
        sd_event_source *source;
        int done_fd; /* eventfd(2): readable while something may be in done */

        pthread_t thread;
        bool started;
        pthread_mutex_t mutex; /* of all that follows */
        pthread_cond_t wake;
        WorkList todo, done;
        bool quit;
};

static void work_free(Work *w) {
        free(w->text);
        free(w);
}

static void work_list_done(WorkList *l) {
        Work *w;

        while ((w = STAILQ_FIRST(l))) {
                STAILQ_REMOVE_HEAD(l, entry);
                work_free(w);
        }
}

/*
 * The thread
 */

static void say_stage(void *userdata, unsigned number, unsigned count, const char *what) {
}
static void say_percent(void *userdata, double percent) {
}
static void say_line(void *userdata, const char *line) {
}
static bool is_canceled(void *userdata) {
        return false;
}

static void do_work(const PoolWorker *w, Work *work) {
        static const JobReport report = { say_stage, say_percent, say_line, is_canceled, NULL };
        const JobContext context = { w->root, w->jobs_fd, -1, -1, &report, NULL };
        _cleanup_job_spec_ JobSpec *spec = NULL;
        _cleanup_strv_ char **notes = NULL;
        _cleanup_error_ Error *err = NULL;
        int r;

        r = job_spec_load(w->jobs_fd, work->id, &spec, &err);
        if (r >= 0)
                r = job_run(&context, spec, &notes, &err);
        work->result = r;
        if (r < 0)
                work->text = err ? error_format(err) : strdup(strerror(-r));
        else if (notes)
                work->text = strv_join(notes, "\n");
}

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
                do_work(w, work);
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
                w->handler(work->id, work->result, TAKE_PTR(work->text), w->userdata);
                work_free(work);
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

int pool_worker_new(sd_event *event, const char *root, int jobs_fd, PoolWorkerHandler handler,
                    void *userdata, PoolWorker **ret) {
        _cleanup_(pool_worker_freep) PoolWorker *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        STAILQ_INIT(&w->todo);
        STAILQ_INIT(&w->done);
        (void) pthread_mutex_init(&w->mutex, NULL);
        (void) pthread_cond_init(&w->wake, NULL);
        w->jobs_fd = jobs_fd;
        w->handler = handler;
        w->userdata = userdata;
        w->root = strdup(root);
        w->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (!w->root)
                return -ENOMEM;
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

static bool clone_is_quick(const char *root, const char *name) {
        _cleanup_volume_ Volume v = { 0 };
        _cleanup_pool_ Pool *pool = NULL;

        return name && pool_open(root, &pool, NULL) >= 0 && volume_get(pool, name, &v, NULL) >= 0 &&
               volume_clone_is_quick(pool, &v);
}

/* Without subvolumes, what is read-only is so by chattr's "i", for which the agent has no right. */
static bool pool_is_quick(const char *root) {
        _cleanup_pool_ Pool *pool = NULL;

        return pool_open(root, &pool, NULL) >= 0 && pool->backend->snapshot_quick;
}

bool pool_worker_is_quick(const char *root, const JobSpec *spec) {
        switch (spec->kind) {
        case JOB_VOLUME_RENAME:
                return true;
        case JOB_VOLUME_DELETE:
        case JOB_SNAPSHOT_DELETE:
        case JOB_BASE_DELETE:
                return pool_is_quick(root);
        case JOB_VOLUME_CLONE:
                return clone_is_quick(root, spec->source);
        case JOB_SNAPSHOT_CREATE:
        case JOB_SNAPSHOT_REVERT:
                return clone_is_quick(root, spec->name);
        case JOB_BOOTSTRAP:
        case JOB_VOLUME_DOWNLOAD:
        case JOB_VOLUME_UPLOAD:
        case JOB_VOLUME_RESIZE:
        case JOB_EXPORT:
        case JOB_IMPORT:
        case JOB_POOL_BUILD:
        case JOB_POOL_REPAIR:
        case JOB_CLEAN:
                break;
        }
        return false;
}

int pool_worker_push(PoolWorker *w, const char *id) {
        Work *work = calloc(1, sizeof(*work));

        if (!work)
                return -ENOMEM;
        (void) snprintf(work->id, sizeof(work->id), "%s", id);
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
        work_list_done(&w->todo);
        work_list_done(&w->done);
        closep(&w->done_fd);
        (void) pthread_cond_destroy(&w->wake);
        (void) pthread_mutex_destroy(&w->mutex);
        free(w->root);
        free(w);
        return NULL;
}

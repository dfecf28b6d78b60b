/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/quick_job.h"

#include "agent/bootstrap/job_run.h"
#include "agent/job_life.h"
#include "agent/manager.h"
#include "agent/pool/pool_backend.h"
#include "agent/pool/volume.h"

typedef struct QuickJob {
        Manager *manager; /* the main loop's */
        const char *root;
        int jobs_fd;
        char id[JOB_ID_LENGTH + 1];
        bool refused; /* it would take longer */
        int result;
        char *text;
} QuickJob;

static void quick_job_free(void *data) {
        QuickJob *q = data;

        free(q->text);
        free(q);
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

/* What decides whether a job is quick. */
typedef enum Quickness {
        QUICK_NEVER,
        QUICK_ALWAYS,
        QUICK_BY_POOL,
        QUICK_BY_SOURCE, /* by the volume of that name */
        QUICK_BY_NAME,
} Quickness;

static Quickness quickness(JobKind kind) {
        switch (kind) {
        case JOB_VOLUME_RENAME:
                return QUICK_ALWAYS;
        case JOB_VOLUME_DELETE:
        case JOB_SNAPSHOT_DELETE:
        case JOB_BASE_DELETE:
                return QUICK_BY_POOL;
        case JOB_VOLUME_CLONE:
                return QUICK_BY_SOURCE;
        case JOB_SNAPSHOT_CREATE:
        case JOB_SNAPSHOT_REVERT:
                return QUICK_BY_NAME;
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
        return QUICK_NEVER;
}

static bool is_quick(const char *root, const JobSpec *spec) {
        switch (quickness(spec->kind)) {
        case QUICK_NEVER:
                return false;
        case QUICK_ALWAYS:
                return true;
        case QUICK_BY_POOL:
                return pool_is_quick(root);
        case QUICK_BY_SOURCE:
                return clone_is_quick(root, spec->source);
        case QUICK_BY_NAME:
                return clone_is_quick(root, spec->name);
        }
        return false;
}

static void run(QuickJob *q, const JobSpec *spec) {
        static const JobReport report = { say_stage, say_percent, say_line, is_canceled, NULL };
        const JobContext context = { q->root, q->jobs_fd, -1, -1, &report, NULL };
        _cleanup_strv_ char **notes = NULL;
        _cleanup_error_ Error *err = NULL;
        int r;

        r = job_run(&context, spec, &notes, &err);
        q->result = r;
        if (r < 0)
                q->text = err ? error_format(err) : strdup(strerror(-r));
        else if (notes)
                q->text = strv_join(notes, "\n");
}

static void work(void *data) {
        _cleanup_job_spec_ JobSpec *spec = NULL;
        _cleanup_error_ Error *err = NULL;
        QuickJob *q = data;

        q->result = job_spec_load(q->jobs_fd, q->id, &spec, &err);
        if (q->result < 0) {
                q->text = err ? error_format(err) : strdup(strerror(-q->result));
                return;
        }
        q->refused = !is_quick(q->root, spec);
        if (!q->refused)
                run(q, spec);
}

/*
 * The main loop's side
 */

static void done(void *data) {
        QuickJob *q = data;

        if (q->refused)
                job_on_worker_refused(q->manager, q->id);
        else
                job_on_worker_end(q->manager, q->id, q->result, TAKE_PTR(q->text));
        quick_job_free(q);
}

int quick_job_start(const Job *job) {
        static const PoolTask task = { work, done, quick_job_free };
        QuickJob *q = calloc(1, sizeof(*q));
        int r;

        if (!q)
                return -ENOMEM;
        q->manager = job->manager;
        q->root = job->manager->root;
        q->jobs_fd = job->manager->jobs.fd;
        memcpy(q->id, job->spec->id, sizeof(q->id));
        r = pool_worker_push(job->manager->pool_worker, &task, q);
        if (r < 0)
                quick_job_free(q);
        return r;
}

bool quick_job_is_possible(JobKind kind) {
        return quickness(kind) != QUICK_NEVER;
}

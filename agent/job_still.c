/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job_still.h"

#include "agent/manager.h"
#include "agent/pool/volume.h"
#include "base/log.h"

typedef struct Still {
        Manager *manager; /* the main loop's */
        JobStep next;
        const char *root;
        char id[JOB_ID_LENGTH + 1];
        char *name;
        int result;
        Error *err;
} Still;

static void still_free(void *data) {
        Still *s = data;

        error_free(s->err);
        free(s->name);
        free(s);
}
DEFINE_CLEANUP(Still *, still_free)

static void work(void *data) {
        _cleanup_pool_ Pool *pool = NULL;
        Still *s = data;

        s->result = pool_open(s->root, &pool, &s->err);
        if (s->result >= 0)
                s->result = volume_take_still(pool, s->name, s->id, &s->err);
}

static void done(void *data) {
        _cleanup_(still_freep) Still *s = data;
        Job *job = job_by_id(&s->manager->jobs, s->id);

        if (!job || job->state != JOB_STATE_RUNNING)
                return;
        if (s->result < 0)
                log_warning("Container '%s' stays frozen while it is read: %s", s->name,
                            s->err && s->err->text ? s->err->text : strerror(-s->result));
        if (s->result > 0)
                job_thaw(job);
        s->next(job);
}

bool job_still_is_wanted(const JobSpec *spec) {
        return spec->kind == JOB_VOLUME_DOWNLOAD || spec->kind == JOB_EXPORT;
}

int job_still_take(Job *job, JobStep next) {
        static const PoolTask task = { work, done, still_free };
        _cleanup_(still_freep) Still *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->manager = job->manager;
        s->next = next;
        s->root = job->manager->root;
        memcpy(s->id, job->spec->id, sizeof(s->id));
        s->name = strdup(job->spec->name);
        if (!s->name)
                return -ENOMEM;
        r = pool_worker_push(job->manager->pool_worker, &task, s);
        if (r >= 0)
                (void) TAKE_PTR(s);
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/manager.h"

static const char *const state_names[] = {
        [JOB_STATE_RUNNING] = "running",
        [JOB_STATE_DONE] = "done",
        [JOB_STATE_FAILED] = "failed",
        [JOB_STATE_CANCELED] = "canceled",
};

const char *job_state_to_string(JobState s) {
        return (size_t) s < ELEMENTSOF(state_names) ? state_names[s] : NULL;
}

static uint64_t now_realtime_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

static Job *job_free(Job *job) {
        if (!job)
                return NULL;
        job_spec_free(job->spec);
        job_status_done(&job->status);
        closep(&job->input_fd);
        closep(&job->output_fd);
        sd_bus_slot_unref(job->properties_slot);
        sd_event_source_disable_unref(job->freeze_timer);
        free(job->warning);
        free(job->unit);
        free(job->status_text);
        free(job->text);
        free(job->unit_result);
        free(job);
        return NULL;
}
DEFINE_CLEANUP(Job *, job_free)

int job_new(Manager *m, JobSpec *spec, Job **ret) {
        _cleanup_job_spec_ JobSpec *owned = spec;
        _cleanup_(job_freep) Job *job = NULL;

        job = calloc(1, sizeof(*job));
        if (!job)
                return -ENOMEM;
        job->manager = m;
        job->input_fd = job->output_fd = -1;
        job->status.percent = -1;
        job->started_usec = now_realtime_usec();
        if (asprintf(&job->unit, "ctvirt-job-%s.service", spec->id) < 0) {
                job->unit = NULL;
                return -ENOMEM;
        }

        job->spec = TAKE_PTR(owned);
        TAILQ_INSERT_TAIL(&m->jobs.list, job, entry);
        m->jobs.n_running++;
        *ret = TAKE_PTR(job);
        return 0;
}

/*
 * The table
 */

int job_table_init(JobTable *t, int run_fd) {
        TAILQ_INIT(&t->list);
        t->fd = -1;
        if (mkdirat(run_fd, JOBS_FOLDER, 0700) < 0 && errno != EEXIST)
                return negative_errno();
        t->fd = openat(run_fd, JOBS_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return t->fd < 0 ? negative_errno() : 0;
}

void job_table_done(JobTable *t) {
        Job *job;

        while ((job = TAILQ_FIRST(&t->list))) {
                TAILQ_REMOVE(&t->list, job, entry);
                job_free(job);
        }
        t->held = strv_free(t->held);
        closep(&t->fd);
        t->fd = -1;
}

Job *job_by_id(const JobTable *t, const char *id) {
        Job *job;

        JOB_FOREACH(job, t)
        if (streq(job->spec->id, id))
                return job;
        return NULL;
}

Job *job_by_name(const JobTable *t, const char *name) {
        Job *job, *found = NULL;

        JOB_FOREACH(job, t) {
                if (!streq_ptr(job->spec->name, name))
                        continue;
                if (job->state == JOB_STATE_RUNNING)
                        return job;
                found = job;
        }
        return found;
}

/* What its kind reads and leaves as it is, if that is a volume. */
static const char *volume_read(const JobSpec *s) {
        switch (s->kind) {
        case JOB_VOLUME_CLONE:
                return s->source;
        case JOB_VOLUME_DOWNLOAD:
        case JOB_EXPORT:
        case JOB_SNAPSHOT_CREATE:
                return s->name;
        case JOB_BOOTSTRAP:
        case JOB_VOLUME_UPLOAD:
        case JOB_VOLUME_RESIZE:
        case JOB_VOLUME_RENAME:
        case JOB_VOLUME_DELETE:
        case JOB_SNAPSHOT_REVERT:
        case JOB_SNAPSHOT_DELETE:
        case JOB_BASE_DELETE:
        case JOB_IMPORT:
        case JOB_POOL_BUILD:
        case JOB_POOL_REPAIR:
        case JOB_CLEAN:
                break;
        }
        return NULL;
}

static bool changes(const JobSpec *s, const char *name) {
        if (s->kind == JOB_VOLUME_RENAME && streq_ptr(s->source, name))
                return true;
        return streq_ptr(s->name, name) && !streq_ptr(volume_read(s), name);
}

static bool touches(const JobSpec *s, const char *name) {
        return changes(s, name) || streq_ptr(volume_read(s), name);
}

Job *job_busy(const JobTable *t, const char *changed, const char *read) {
        Job *job;

        JOB_FOREACH(job, t) {
                if (job->state != JOB_STATE_RUNNING)
                        continue;
                if ((changed && touches(job->spec, changed)) || (read && changes(job->spec, read)))
                        return job;
        }
        return NULL;
}

/*
 * Its life
 */

bool job_set_status(Job *job, const char *text) {
        JobStatus status;
        char *copy;

        if (isempty(text) || streq_ptr(job->status_text, text) ||
            job_status_parse(text, &status) < 0)
                return false;
        copy = strdup(text);
        if (!copy) {
                job_status_done(&status);
                return false;
        }
        free(job->status_text);
        job->status_text = copy;
        job_status_done(&job->status);
        job->status = status;
        return true;
}

static void forget_oldest(JobTable *t, const Job *except) {
        Job *job, *next;

        for (job = TAILQ_FIRST(&t->list); job && t->n_over > JOBS_OVER_MAX; job = next) {
                next = TAILQ_NEXT(job, entry);
                if (job->state == JOB_STATE_RUNNING || job == except)
                        continue;
                TAILQ_REMOVE(&t->list, job, entry);
                t->n_over--;
                (void) job_spec_remove(t->fd, job->spec->id);
                job_free(job);
        }
}

void job_set_over(Job *job, JobState state, char *text) {
        JobTable *t = &job->manager->jobs;

        if (job->state == JOB_STATE_RUNNING) {
                t->n_running--;
                t->n_over++;
                job->ended_usec = now_realtime_usec();
                job->properties_slot = sd_bus_slot_unref(job->properties_slot);
                closep(&job->input_fd);
                closep(&job->output_fd);
                job->input_fd = job->output_fd = -1;
        }
        job->state = state;
        free(job->text);
        job->text = text;
        forget_oldest(t, job);
}

char *job_describe(const JobSpec *s) {
        char *text = NULL;
        int r;

        if (s->name && s->snapshot)
                r = asprintf(&text, "%s '%s' of '%s'", job_kind_to_string(s->kind), s->snapshot,
                             s->name);
        else if (s->name)
                r = asprintf(&text, "%s of '%s'", job_kind_to_string(s->kind), s->name);
        else
                r = asprintf(&text, "%s", job_kind_to_string(s->kind));
        return r < 0 ? NULL : text;
}

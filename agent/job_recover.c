/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job_recover.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "agent/job_life.h"
#include "agent/job_unit.h"
#include "agent/pool/pool.h"
#include "agent/revert.h"
#include "base/fileio.h"
#include "base/log.h"

/*
 * Folders of jobs
 */

static uint64_t file_usec(int jobs_fd, const char *id, const char *file) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (asprintf(&path, "%s/%s", id, file) < 0) {
                path = NULL;
                return 0;
        }
        if (fstatat(jobs_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        return (uint64_t) st.st_mtim.tv_sec * 1000000 + (uint64_t) st.st_mtim.tv_nsec / 1000;
}

/* One whose end has been dealt with: it is only there to be told about. */
static void load_over(Job *job) {
        const JobTable *t = &job->manager->jobs;
        _cleanup_job_result_ JobResult result = { 0 };
        JobState state = JOB_STATE_FAILED;

        if (job_result_load(t->fd, job->spec->id, &result) >= 0)
                state = result.outcome == JOB_OUTCOME_DONE       ? JOB_STATE_DONE
                        : result.outcome == JOB_OUTCOME_CANCELED ? JOB_STATE_CANCELED
                                                                 : JOB_STATE_FAILED;
        job_set_over(job, state, TAKE_PTR(result.text));
        job->ended_usec = file_usec(t->fd, job->spec->id, "settled");
}

/* The list is by age, names are not. */
static void put_in_place(JobTable *t, Job *job) {
        Job *other;

        TAILQ_REMOVE(&t->list, job, entry);
        JOB_FOREACH(other, t)
        if (other->started_usec > job->started_usec) {
                TAILQ_INSERT_BEFORE(other, job, entry);
                return;
        }
        TAILQ_INSERT_TAIL(&t->list, job, entry);
}

static void load(Manager *m, const char *id) {
        _cleanup_job_spec_ JobSpec *spec = NULL;
        _cleanup_error_ Error *err = NULL;
        Job *job;
        int r;

        r = job_spec_load(m->jobs.fd, id, &spec, &err);
        if (r >= 0)
                r = job_new(m, TAKE_PTR(spec), &job);
        if (r < 0) {
                log_warning("Job %s is forgotten: %s", id,
                            err && err->text ? err->text : strerror(-r));
                (void) job_spec_remove(m->jobs.fd, id);
                return;
        }
        job->started_usec = file_usec(m->jobs.fd, id, "job");
        put_in_place(&m->jobs, job);
        if (job_result_is_settled(m->jobs.fd, id))
                load_over(job);
        else
                log_info("Job %s was running when the agent last ended", id);
}

void job_recover_load(Manager *m) {
        _cleanup_strv_ char **ids = NULL;
        int r;

        r = job_spec_list(m->jobs.fd, &ids);
        if (r < 0)
                log_error_errno(r, "Could not read which jobs there are");
        STRV_FOREACH(id, ids)
                load(m, *id);
}

void job_recover_follow(Manager *m) {
        Job *job;

        JOB_FOREACH(job, &m->jobs) {
                int r;

                if (job->state != JOB_STATE_RUNNING || (job->in_worker && m->pool_worker))
                        continue;
                r = job_unit_follow(job);
                if (r < 0)
                        log_error_errno(r, "Could not follow job %s", job->spec->id);
        }
}

void job_recover_bus_gone(Manager *m) {
        Job *job;

        JOB_FOREACH(job, &m->jobs)
        job->properties_slot = sd_bus_slot_unref(job->properties_slot);
}

/*
 * The pool
 */

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

/* Half-done work is told about once: the clean job that follows takes it away. */
static bool is_leftover(const Manager *m, const char *folder, const char *entry) {
        char id[JOB_ID_LENGTH + 1];
        const Job *job;

        if (streq(folder, POOL_TRASH))
                return true;
        if (is_temporary_name(entry))
                entry += strlen(".#");
        (void) snprintf(id, sizeof(id), "%.*s", JOB_ID_LENGTH, entry);
        job = job_by_id(&m->jobs, id);
        if (job && job->state == JOB_STATE_RUNNING)
                return false;
        log_notice("The pool has half-done work of job %s, which is %s", id,
                   streq(folder, POOL_INTENTS) ? "finished" : "removed");
        return true;
}

static bool folder_has_leftovers(const Manager *m, const char *folder) {
        _cleanup_(closedirp) DIR *d = NULL;
        _cleanup_free_ char *path = NULL;
        const struct dirent *e;
        bool found = false;

        if (asprintf(&path, "%s" POOL_PATH "/%s", m->root, folder) < 0) {
                path = NULL;
                return false;
        }
        d = opendir(path);
        while (d && (e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        found = is_leftover(m, folder, e->d_name) || found;
        return found;
}

static bool is_cleaning(const JobTable *t) {
        const Job *job;

        JOB_FOREACH(job, t)
        if (job->state == JOB_STATE_RUNNING && job->spec->kind == JOB_CLEAN)
                return true;
        return false;
}

/* What a clean job leaves is not tried again before something else happens; but what others have put
 * into the trash while it was at work may be what it has not seen. */
static bool has_just_cleaned(const JobTable *t) {
        const Job *job, *last = TAILQ_LAST(&t->list, JobList);

        if (!last || last->spec->kind != JOB_CLEAN || last->state == JOB_STATE_RUNNING)
                return false;
        JOB_FOREACH(job, t)
        if (job != last && job->ended_usec >= last->started_usec)
                return false;
        return true;
}

void job_recover_leftovers(Manager *m) {
        _cleanup_error_ Error *err = NULL;
        bool found;
        JobSpec *spec;
        int r;

        revert_recover(m);
        if (!m->bus || is_cleaning(&m->jobs) || has_just_cleaned(&m->jobs))
                return;
        found = folder_has_leftovers(m, POOL_NEW);
        found = folder_has_leftovers(m, POOL_TRASH) || found;
        found = folder_has_leftovers(m, POOL_INTENTS) || found;
        if (!found)
                return;

        spec = calloc(1, sizeof(*spec));
        if (!spec)
                return;
        spec->kind = JOB_CLEAN;
        spec->size = UINT64_MAX;
        r = job_begin(m, spec, -1, -1, false, NULL, &err);
        if (r < 0)
                log_error("Could not start cleaning the pool: %s",
                          err && err->text ? err->text : strerror(-r));
}

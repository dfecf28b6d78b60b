/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job_life.h"

#include <sys/random.h>

#include "agent/api.h"
#include "agent/bus_errors.h"
#include "agent/job_after.h"
#include "agent/job_events.h"
#include "agent/job_freeze.h"
#include "agent/job_recover.h"
#include "agent/job_still.h"
#include "agent/job_unit.h"
#include "agent/manager.h"
#include "agent/quick_job.h"
#include "base/log.h"
#include "units/unit_name.h"

/*
 * End
 */

static void log_end(const Job *job) {
        _cleanup_free_ char *what = job_describe(job->spec);

        log_full(job->state == JOB_STATE_FAILED ? LOG_ERR : LOG_INFO, "Job %s (%s): %s%s%s",
                 job->spec->id, what ? what : "", job_state_to_string(job->state),
                 job->text ? ": " : "", job->text ? job->text : "");
}

static JobOutcome outcome_of(JobState state) {
        switch (state) {
        case JOB_STATE_DONE:
                return JOB_OUTCOME_DONE;
        case JOB_STATE_CANCELED:
                return JOB_OUTCOME_CANCELED;
        case JOB_STATE_RUNNING:
        case JOB_STATE_FAILED:
                break;
        }
        return JOB_OUTCOME_FAILED;
}

/* Takes text over. What came of it is written down, as it may be another thing than the job's own
 * word, and as a job that was killed has left none: without one it counts as at work for those that
 * clean up. */
static void end(Job *job, JobState state, char *text) {
        Manager *m = job->manager;
        int r;

        job_after(job, &state, &text);
        r = job_result_save(m->jobs.fd, job->spec->id, outcome_of(state), text);
        if (r >= 0)
                r = job_result_settle(m->jobs.fd, job->spec->id);
        if (r < 0)
                log_warning_errno(r, "Could not note that job %s is over", job->spec->id);
        job_set_over(job, state, text);
        log_end(job);
        job_event(job, CTVIRT_JOB_FINISHED);
        job_recover_leftovers(m);
}

static JobState state_of(JobOutcome outcome) {
        switch (outcome) {
        case JOB_OUTCOME_DONE:
                return JOB_STATE_DONE;
        case JOB_OUTCOME_FAILED:
                return JOB_STATE_FAILED;
        case JOB_OUTCOME_CANCELED:
                return JOB_STATE_CANCELED;
        }
        return JOB_STATE_FAILED;
}

/* It was killed, or never began. What was killed with nothing left to do but to say so is done. */
static void end_without_result(Job *job, const char *refused) {
        char *text = NULL;
        int r;

        if (!refused && job_after_is_made(job)) {
                end(job, JOB_STATE_DONE, NULL);
                return;
        }
        if (!refused && job->cancel_requested) {
                end(job, JOB_STATE_CANCELED, NULL);
                return;
        }
        if (refused)
                r = asprintf(&text, "%s", refused);
        else if (streq_ptr(job->unit_result, "oom-kill"))
                r = asprintf(&text, "it was killed, as memory was short; see journalctl -u %s",
                             job->unit);
        else
                r = asprintf(&text,
                             "it was interrupted before it was done%s%s; see journalctl -u "
                             "%s",
                             job->unit_result ? ", result: " : "",
                             job->unit_result ? job->unit_result : "", job->unit);
        end(job, JOB_STATE_FAILED, r < 0 ? NULL : text);
}

void job_on_unit_end(Job *job, const char *refused) {
        _cleanup_job_result_ JobResult result = { 0 };
        int r;

        r = job_result_load(job->manager->jobs.fd, job->spec->id, &result);
        if (r < 0 && r != -ENOENT)
                log_warning_errno(r, "Could not read the result of job %s", job->spec->id);
        if (r < 0)
                end_without_result(job, refused);
        else
                end(job, state_of(result.outcome), TAKE_PTR(result.text));
}

void job_on_worker_end(Manager *m, const char *id, int r, char *text) {
        Job *job = job_by_id(&m->jobs, id);

        if (!job || job->state != JOB_STATE_RUNNING) {
                free(text);
                return;
        }
        end(job, r < 0 ? JOB_STATE_FAILED : JOB_STATE_DONE, text);
}

void job_on_progress(Job *job) {
        job_event(job, CTVIRT_JOB_PROGRESS);
}

/*
 * Beginning
 */

static void fail_to_begin(Job *job, int r) {
        char *text = NULL;

        if (asprintf(&text, "it could not be started: %s", strerror(-r)) < 0)
                text = NULL;
        end(job, JOB_STATE_FAILED, text);
}

static void execute_by(Job *job, bool may_be_quick) {
        int r;

        if (job->cancel_requested) {
                end(job, JOB_STATE_CANCELED, NULL);
                return;
        }
        job->in_worker = may_be_quick && quick_job_is_possible(job->spec->kind);
        r = job->in_worker ? quick_job_start(job) : job_unit_start(job);
        if (r < 0)
                fail_to_begin(job, r);
}

static void execute(Job *job) {
        execute_by(job, true);
}

static void hold_still(Job *job) {
        int r = job_still_take(job, execute);

        if (r < 0)
                fail_to_begin(job, r);
}

void job_on_worker_refused(Manager *m, const char *id) {
        Job *job = job_by_id(&m->jobs, id);

        if (job && job->state == JOB_STATE_RUNNING)
                execute_by(job, false);
}

typedef struct StopCall {
        Manager *manager;
        char id[JOB_ID_LENGTH + 1];
} StopCall;

static void on_stopped(const UnitReply *reply, void *userdata) {
        _cleanup_free_ StopCall *call = userdata;
        Job *job = job_by_id(&call->manager->jobs, call->id);
        char *text = NULL;

        if (!job || job->state != JOB_STATE_RUNNING)
                return;
        if (!reply->error && streq_ptr(reply->job_result, "done")) {
                execute(job);
                return;
        }
        if (asprintf(&text, "container '%s' could not be stopped: %s", job->spec->name,
                     reply->error ? reply->error->message : reply->job_result) < 0)
                text = NULL;
        end(job, JOB_STATE_FAILED, text);
}

static int stop_container(Job *job) {
        _cleanup_free_ char *unit = container_unit_name(job->spec->name);
        StopCall *call;
        int r;

        call = calloc(1, sizeof(*call));
        if (!call || !unit) {
                free(call);
                return -ENOMEM;
        }
        call->manager = job->manager;
        memcpy(call->id, job->spec->id, sizeof(call->id));
        r = unit_client_job(job->manager->units, UNIT_JOB_STOP, unit, on_stopped, call);
        if (r < 0)
                free(call);
        return r;
}

/* What has to be so before it. */
static void prepare(Job *job) {
        int r = 0;

        if (job->spec->flags & JOB_FREEZE)
                r = job_freeze(job, job_still_is_wanted(job->spec) ? hold_still : execute);
        else if (job->stop_first)
                r = stop_container(job);
        else
                execute(job);
        if (r < 0)
                fail_to_begin(job, r);
}

static int make_id(const JobTable *t, JobSpec *spec) {
        uint32_t number;

        do {
                if (getrandom(&number, sizeof(number), 0) < 0)
                        return negative_errno();
                free(spec->id);
                if (asprintf(&spec->id, "%08x", number) < 0) {
                        spec->id = NULL;
                        return -ENOMEM;
                }
        } while (job_by_id(t, spec->id));
        return 0;
}

static int refuse_busy(const JobTable *t, const JobSpec *spec, Error **err) {
        _cleanup_free_ char *what = NULL;
        const Job *other;

        if (spec->name && strv_contains(t->held, spec->name))
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "a password is being set in it; try again");
        other = job_busy(t, spec->name, spec->source);
        if (!other)
                return t->n_running < JOBS_RUNNING_MAX
                               ? 0
                               : error_set(err, ERRNO_OPERATION_INVALID,
                                           "%zu jobs are running already; see 'ctvirt job-list'",
                                           t->n_running);
        what = job_describe(other->spec);
        return error_set(err, ERRNO_OPERATION_INVALID,
                         "job %s (%s) is at work on it; wait for it with 'ctvirt job-info %s "
                         "--wait', or end it with 'ctvirt job-abort %s'",
                         other->spec->id, what ? what : "", other->spec->id, other->spec->id);
}

/* Takes all of them over. */
static int write_down(Manager *m, JobSpec *spec, int input_fd, int output_fd, Job **ret,
                      Error **err) {
        Job *job;
        int r;

        r = job_spec_save(m->jobs.fd, spec);
        if (r < 0) {
                job_spec_free(spec);
                closep(&input_fd);
                closep(&output_fd);
                return error_set(err, -r, "cannot write the job down in /run/ctvirt/jobs: %s",
                                 strerror(-r));
        }
        r = job_new(m, spec, &job);
        if (r < 0) {
                closep(&input_fd);
                closep(&output_fd);
                return r;
        }
        job->input_fd = input_fd;
        job->output_fd = output_fd;
        *ret = job;
        return 0;
}

int job_begin(Manager *m, JobSpec *spec, int input_fd, int output_fd, bool stop_first, Job **ret,
              Error **err) {
        _cleanup_free_ char *what = NULL;
        Job *job = NULL;
        int r;

        r = refuse_busy(&m->jobs, spec, err);
        if (r >= 0)
                r = make_id(&m->jobs, spec);
        if (r < 0) {
                job_spec_free(spec);
                closep(&input_fd);
                closep(&output_fd);
                return r;
        }
        r = write_down(m, spec, input_fd, output_fd, &job, err);
        if (r < 0 || !job)
                return r < 0 ? r : -ENOMEM;

        job->stop_first = stop_first;
        what = job_describe(job->spec);
        log_info("Job %s (%s): started", job->spec->id, what ? what : "");
        job_event(job, CTVIRT_JOB_STARTED);
        if (ret)
                *ret = job;
        prepare(job);
        return 0;
}

int job_cancel(Job *job) {
        if (job->state != JOB_STATE_RUNNING)
                return -EALREADY;
        job->cancel_requested = true;
        return job->in_worker ? 0 : job_unit_stop(job);
}

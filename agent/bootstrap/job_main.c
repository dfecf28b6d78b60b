/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ctvirt-job: does one job that the agent has written down, as a transient service of its own, so
 * that it lives on when the agent is restarted.
 *
 *   ctvirt-job run ID      does it; SIGTERM cancels it
 *   ctvirt-job clean ID    behind it (ExecStopPost=): removes what a job that was killed left
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

#include "agent/bootstrap/import_client.h"
#include "agent/bootstrap/job_report_notify.h"
#include "agent/bootstrap/job_result.h"
#include "agent/bootstrap/job_run.h"
#include "agent/bootstrap/job_thaw.h"
#include "agent/bootstrap/pool_mount.h"
#include "agent/pool/pool.h"
#include "base/log.h"
#include "units/run_dir.h"

/* After it is canceled: how often it is reminded, and when it is ended in the middle of what it
 * does; its exit code then. */
#define REMINDER_USEC (250 * 1000)
#define REMINDERS_MAX 80
#define EXIT_CANCELED 75
#define CANCELED_TEXT "75"

static volatile sig_atomic_t canceled;
static volatile sig_atomic_t reminders;

/* A signal that comes just before a read that waits for a slow peer does not end it, the next one
 * does. */
static void on_terminate(int signal) {
        static const struct itimerval interval = { { 0, REMINDER_USEC }, { 0, REMINDER_USEC } };

        canceled = 1;
        (void) setitimer(ITIMER_REAL, &interval, NULL);
}

static void on_reminder(int signal) {
        reminders = reminders + 1;
        if (reminders > REMINDERS_MAX)
                _exit(EXIT_CANCELED);
}

/* Without SA_RESTART, for that. */
static int catch_signals(void) {
        const struct sigaction terminate = { .sa_handler = on_terminate };
        const struct sigaction remind = { .sa_handler = on_reminder };
        const struct sigaction ignore = { .sa_handler = SIG_IGN };

        if (sigaction(SIGTERM, &terminate, NULL) < 0 || sigaction(SIGINT, &terminate, NULL) < 0 ||
            sigaction(SIGALRM, &remind, NULL) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0)
                return negative_errno();
        return 0;
}

static int save_result(int jobs_fd, const char *id, int r, const Error *err, char *const *notes) {
        _cleanup_free_ char *text = NULL;
        JobOutcome outcome = JOB_OUTCOME_DONE;

        if (r == -ECANCELED) {
                outcome = JOB_OUTCOME_CANCELED;
        } else if (r < 0) {
                outcome = JOB_OUTCOME_FAILED;
                text = err ? error_format(err) : strdup(strerror(-r));
                log_error("%s", text ? text : strerror(-r));
        } else {
                text = strv_join(notes, "\n");
        }

        r = job_result_save(jobs_fd, id, outcome, text);
        if (r < 0)
                return log_error_errno(r, "Could not write the result of the job");
        return outcome == JOB_OUTCOME_FAILED ? -EIO : 0;
}

static int run(int jobs_fd, const char *id) {
        _cleanup_notify_report_ NotifyReport report;
        const JobContext context = {
                .root = "",
                .jobs_fd = jobs_fd,
                .input_fd = STDIN_FILENO,
                .output_fd = STDOUT_FILENO,
                .report = &report.report,
                .mount_pool = pool_mount,
        };
        _cleanup_job_spec_ JobSpec *spec = NULL;
        _cleanup_strv_ char **notes = NULL;
        _cleanup_error_ Error *err = NULL;
        int r;

        notify_report_init(&report, &canceled);
        r = catch_signals();
        if (r >= 0)
                r = job_spec_load(jobs_fd, id, &spec, &err);
        if (r >= 0)
                r = job_run(&context, spec, &notes, &err);
        return save_result(jobs_fd, id, r, err, notes);
}

/* The agent does it as well, if there is one. */
static void thaw(int jobs_fd, const char *id) {
        _cleanup_job_spec_ JobSpec *spec = NULL;
        _cleanup_error_ Error *err = NULL;
        int r;

        r = job_spec_load(jobs_fd, id, &spec, &err);
        if (r >= 0)
                r = job_thaw_behind(jobs_fd, spec, &err);
        if (r < 0)
                log_warning("%s", err && err->text ? err->text : strerror(-r));
}

/* What others do for a job does not end with it. */
static void end_pull(const char *id) {
        char name[sizeof(POOL_IMPORT_PREFIX) + JOB_ID_LENGTH];
        int r;

        (void) snprintf(name, sizeof(name), POOL_IMPORT_PREFIX "%s", id);
        r = import_cancel(name);
        if (r < 0)
                (void) log_warning_errno(r, "Could not end what systemd-importd pulls for job %s",
                                         id);
}

static int clean(int jobs_fd, const char *id) {
        const JobContext context = { .root = "", .jobs_fd = jobs_fd, -1, -1, NULL, NULL };
        _cleanup_job_result_ JobResult result = { 0 };
        _cleanup_error_ Error *err = NULL;
        int r;

        thaw(jobs_fd, id);
        r = job_result_load(jobs_fd, id, &result);
        if (r >= 0 && result.outcome == JOB_OUTCOME_DONE)
                return 0;
        /* Said by systemd (systemd.exec(5), $EXIT_STATUS). */
        if (r == -ENOENT && streq_ptr(getenv("EXIT_STATUS"), CANCELED_TEXT))
                (void) job_result_save(jobs_fd, id, JOB_OUTCOME_CANCELED, NULL);
        end_pull(id);
        r = job_clean(&context, id, &err);
        if (r < 0)
                log_error("Could not remove what job %s has left: %s", id,
                          err && err->text ? err->text : strerror(-r));
        return r;
}

int main(int argc, char **argv) {
        _cleanup_close_ int jobs_fd = -1;
        int r;

        log_init();
        if (argc != 3 || !job_id_is_valid(argv[2])) {
                log_error("usage: ctvirt-job run|clean ID");
                return EXIT_FAILURE;
        }
        jobs_fd = open(CTVIRT_RUN_DIR "/" JOBS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (jobs_fd < 0) {
                (void) log_error_errno(negative_errno(), "Could not open the folder of the jobs");
                return EXIT_FAILURE;
        }

        if (streq(argv[1], "run"))
                r = run(jobs_fd, argv[2]);
        else if (streq(argv[1], "clean"))
                r = clean(jobs_fd, argv[2]);
        else
                r = log_error_errno(-EINVAL, "Unknown order '%s'", argv[1]);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

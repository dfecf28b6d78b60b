/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/job_wait.h"

#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <systemd/sd-event.h>

#include "agent/cli/job_info.h"

#define LOOK_AGAIN_USEC UINT64_C(2000000)
#define COLUMNS_DEFAULT 80

typedef enum WaitState {
        WAIT_GOES_ON,
        WAIT_OVER,
        WAIT_LEFT,
        WAIT_DISCONNECTED,
        WAIT_FORGOTTEN, /* the agent knows no such job (any more) */
} WaitState;

typedef struct JobWait {
        Cli *cli;
        const char *path;
        char *id;
        JobInfo info; /* the latest */
        WaitState state;
        bool canceled;

        bool tty;
        bool shown; /* a line that is to be rewritten */
        char *last;

        sd_event *loop;
        sd_event_source *timer;
        sd_bus_slot *slots[3];
        sd_bus_slot *look, *cancel;
        sigset_t old_mask;
} JobWait;

static void job_wait_done(JobWait *w) {
        for (size_t i = 0; i < ELEMENTSOF(w->slots); i++)
                sd_bus_slot_unref(w->slots[i]);
        sd_bus_slot_unref(w->look);
        sd_bus_slot_unref(w->cancel);
        sd_event_source_disable_unref(w->timer);
        if (w->loop) {
                (void) sd_bus_detach_event(w->cli->bus);
                sd_event_unref(w->loop);
                (void) sigprocmask(SIG_SETMASK, &w->old_mask, NULL);
        }
        job_info_done(&w->info);
        free(w->last);
        free(w->id);
}

static void wait_end(JobWait *w, WaitState state) {
        if (w->state == WAIT_GOES_ON)
                w->state = state;
}

/*
 * Progress
 */

static int terminal_columns(FILE *f) {
        struct winsize size;

        if (ioctl(fileno(f), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return COLUMNS_DEFAULT;
        return size.ws_col;
}

static void clear_line(JobWait *w) {
        if (!w->shown)
                return;
        w->shown = false;
        fputs("\r\033[K", w->cli->output.err);
        (void) fflush(w->cli->output.err);
}

static void show(JobWait *w) {
        FILE *err = w->cli->output.err;
        char *text;

        if (w->cli->output.quiet)
                return;
        text = job_info_progress(&w->info, w->tty);
        if (!text || !*text || streq_ptr(text, w->last)) {
                free(text);
                return;
        }
        free(w->last);
        w->last = text;
        if (w->tty)
                (void) fprintf(err, "\r\033[K%.*s", terminal_columns(err) - 1, text);
        else
                (void) fprintf(err, "%s\n", text);
        (void) fflush(err);
        w->shown = w->tty;
}

/* Takes info over. */
static void take_info(JobWait *w, JobInfo *info) {
        job_info_done(&w->info);
        w->info = *info;
        *info = (JobInfo){ 0 };
        if (job_info_is_running(&w->info)) {
                show(w);
                return;
        }
        clear_line(w);
        wait_end(w, WAIT_OVER);
}

/*
 * The agent
 */

static int on_looked(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        _cleanup_job_info_ JobInfo info = { 0 };
        JobWait *w = userdata;

        w->look = sd_bus_slot_unref(w->look);
        if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_UNKNOWN_OBJECT))
                wait_end(w, WAIT_FORGOTTEN);
        else if (!sd_bus_message_is_method_error(m, NULL) && job_info_read(m, &info) >= 0)
                take_info(w, &info);
        return 0;
}

static void look(JobWait *w) {
        if (w->look)
                return;
        if (sd_bus_call_method_async(w->cli->bus, &w->look, CTVIRT_BUS_NAME, w->path,
                                     CTVIRT_BUS_JOB, "GetInfo", on_looked, w, NULL) < 0)
                wait_end(w, WAIT_DISCONNECTED);
}

/* What was missed, as by a restart of the agent, is asked for from time to time. */
static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        JobWait *w = userdata;

        look(w);
        (void) sd_event_source_set_time_relative(w->timer, LOOK_AGAIN_USEC);
        (void) sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
        return 0;
}

static int on_job_event(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        _cleanup_job_info_ JobInfo info = { 0 };
        const char *id, *kind, *name, *event;
        JobWait *w = userdata;

        if (sd_bus_message_read(m, "ssss", &id, &kind, &name, &event) < 0 || !streq(id, w->id) ||
            job_info_read(m, &info) < 0)
                return 0;
        take_info(w, &info);
        return 0;
}

static int on_agent(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        look(userdata);
        return 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        wait_end(userdata, WAIT_DISCONNECTED);
        return 0;
}

static int on_cancel_answer(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        JobWait *w = userdata;

        if (sd_bus_message_is_method_error(m, NULL))
                output_warning(&w->cli->output, "the job could not be canceled: %s",
                               sd_bus_message_get_error(m)->message);
        return 0;
}

static void cancel(JobWait *w) {
        w->canceled = true;
        clear_line(w);
        if (!w->cli->output.quiet)
                (void) fprintf(w->cli->output.err,
                               "Canceling job %s; press Ctrl-C again not to wait for that\n",
                               w->id);
        (void) fflush(w->cli->output.err);
        (void) sd_bus_call_method_async(w->cli->bus, &w->cancel, CTVIRT_BUS_NAME, w->path,
                                        CTVIRT_BUS_JOB, "Cancel", on_cancel_answer, w, NULL);
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        JobWait *w = userdata;

        if (w->canceled)
                wait_end(w, WAIT_LEFT);
        else
                cancel(w);
        return 0;
}

/*
 * Setting up
 */

static int listen_to_agent(JobWait *w) {
        sd_bus *bus = w->cli->bus;
        int r;

        r = sd_bus_match_signal(bus, &w->slots[0], CTVIRT_BUS_NAME, CTVIRT_BUS_PATH,
                                CTVIRT_BUS_MANAGER, "JobEvent", on_job_event, w);
        if (r >= 0)
                r = sd_bus_add_match(bus, &w->slots[1],
                                     "type='signal',sender='org.freedesktop.DBus',"
                                     "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                     "arg0='" CTVIRT_BUS_NAME "'",
                                     on_agent, w);
        if (r >= 0)
                r = sd_bus_match_signal(bus, &w->slots[2], "org.freedesktop.DBus.Local", NULL,
                                        "org.freedesktop.DBus.Local", "Disconnected",
                                        on_disconnected, w);
        return r;
}

static int arm_signals(JobWait *w) {
        sigset_t signals;
        int r;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGINT);
        (void) sigaddset(&signals, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &signals, &w->old_mask) < 0)
                return negative_errno();
        r = sd_event_add_signal(w->loop, NULL, SIGINT, on_signal, w);
        return r < 0 ? r : sd_event_add_signal(w->loop, NULL, SIGTERM, on_signal, w);
}

static int arm(JobWait *w) {
        int r;

        r = sd_event_new(&w->loop);
        if (r >= 0)
                r = arm_signals(w);
        if (r >= 0)
                r = sd_bus_attach_event(w->cli->bus, w->loop, SD_EVENT_PRIORITY_NORMAL);
        return r < 0 ? r
                     : sd_event_add_time_relative(w->loop, &w->timer, CLOCK_MONOTONIC, 0, 1,
                                                  on_timer, w);
}

/*
 * Its end
 */

static int report_over(JobWait *w, char **ret_name, char **ret_text, const char *what) {
        Output *o = &w->cli->output;

        if (streq(w->info.state, "done")) {
                if (ret_name)
                        *ret_name = TAKE_PTR(w->info.name);
                if (ret_text)
                        *ret_text = TAKE_PTR(w->info.text);
                return 0;
        }
        if (streq(w->info.state, "canceled")) {
                output_error(o, "job %s was canceled", w->id);
                return -ECANCELED;
        }
        output_error(o, "%s", what);
        output_error(o, "%s", *w->info.text ? w->info.text : "the job has failed");
        return -EIO;
}

static int report(JobWait *w, char **ret_name, char **ret_text, const char *what) {
        Output *o = &w->cli->output;

        switch (w->state) {
        case WAIT_OVER:
                return report_over(w, ret_name, ret_text, what);
        case WAIT_LEFT:
                output_error(o, "job %s is left to itself; see 'ctvirt job-info %s'", w->id, w->id);
                return -EINTR;
        case WAIT_FORGOTTEN:
                output_error(o, "%s", what);
                output_error(o, "the agent knows nothing of job %s any more", w->id);
                return -ESRCH;
        case WAIT_DISCONNECTED:
                output_error(o, "Disconnected from %s; job %s goes on", w->cli->uri, w->id);
                return -ECONNRESET;
        case WAIT_GOES_ON:
                break;
        }
        return -EIO;
}

static int wait_for(Cli *cli, const char *path, char **ret_name, char **ret_text,
                    const char *what) {
        _cleanup_(job_wait_done) JobWait w = {
                .cli = cli,
                .path = path,
                .tty = isatty(fileno(cli->output.err)),
        };
        int r;

        r = sd_bus_path_decode(path, CTVIRT_BUS_JOB_PREFIX, &w.id);
        if (r <= 0)
                return bus_print_reply_error(cli, r < 0 ? r : -EBADMSG);
        r = listen_to_agent(&w);
        if (r >= 0)
                r = arm(&w);
        while (r >= 0 && w.state == WAIT_GOES_ON)
                r = sd_event_run(w.loop, UINT64_MAX);
        clear_line(&w);
        if (r >= 0)
                return report(&w, ret_name, ret_text, what);
        output_error(&cli->output, "cannot wait for the job: %s", strerror(-r));
        return r;
}

int job_wait(Cli *cli, const char *path, char **ret_text, const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&what, format, ap) < 0)
                what = NULL;
        va_end(ap);
        return wait_for(cli, path, NULL, ret_text, what ? what : strerror(ENOMEM));
}

static int call(Cli *cli, sd_bus_message *m, bool detach, char **ret_name, char **ret_text,
                const char *what) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *owned = m, *reply = NULL;
        _cleanup_free_ char *id = NULL;
        const char *path;
        int r;

        r = bus_send_change(cli, owned, &reply, &error);
        if (r < 0)
                return bus_print_error(cli, r, &error, "%s", what);
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return bus_print_reply_error(cli, r);
        if (!detach)
                return wait_for(cli, path, ret_name, ret_text, what);

        r = sd_bus_path_decode(path, CTVIRT_BUS_JOB_PREFIX, &id);
        if (r <= 0)
                return bus_print_reply_error(cli, r < 0 ? r : -EBADMSG);
        output_extra(&cli->output, "Job %s started; see 'ctvirt job-info %s --wait'\n", id, id);
        return 1;
}

int job_call(Cli *cli, sd_bus_message *m, bool detach, char **ret_text, const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&what, format, ap) < 0)
                what = NULL;
        va_end(ap);
        return call(cli, m, detach, NULL, ret_text, what ? what : strerror(ENOMEM));
}

int job_call_named(Cli *cli, sd_bus_message *m, char **ret_name, char **ret_text,
                   const char *format, ...) {
        _cleanup_free_ char *what = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&what, format, ap) < 0)
                what = NULL;
        va_end(ap);
        return call(cli, m, false, ret_name, ret_text, what ? what : strerror(ENOMEM));
}

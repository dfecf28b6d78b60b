/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/job_report_notify.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/log.h"

#define INTERVAL_USEC (UINT64_C(200) * 1000) /* systemd tells each change to all its clients */
#define LINE_MAX_BYTES 200

static uint64_t now_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

static void send_status(NotifyReport *n, bool at_once) {
        _cleanup_free_ char *text = NULL;
        uint64_t now = now_usec();

        if (!at_once && now - n->sent_usec < INTERVAL_USEC)
                return;
        text = job_status_format(&n->status);
        if (!text)
                return;
        n->sent_usec = now;
        (void) sd_notifyf(false, "STATUS=%s", text);
}

static void on_stage(void *userdata, unsigned number, unsigned count, const char *what) {
        NotifyReport *n = userdata;

        job_status_done(&n->status);
        n->status = (JobStatus){
                .number = number, .count = count, .stage = strdup(what), .percent = -1
        };
        log_info("[%u/%u] %s", number, count, what);
        send_status(n, true);
}

static void on_percent(void *userdata, double percent) {
        NotifyReport *n = userdata;

        n->status.percent = percent > 100 ? 100 : percent;
        send_status(n, false);
}

/* Tools write what they like; systemd takes a line of UTF-8. */
static char *clean_line(const char *line) {
        char *copy = strndup(line, LINE_MAX_BYTES);

        for (char *p = copy; p && *p; p++)
                if ((unsigned char) *p < ' ' || (unsigned char) *p >= 0x7f)
                        *p = '?';
        return copy;
}

static void on_line(void *userdata, const char *line) {
        NotifyReport *n = userdata;

        free(n->status.line);
        n->status.line = isempty(line) ? NULL : clean_line(line);
        if (n->status.line)
                log_info("%s", n->status.line);
        send_status(n, false);
}

static bool on_canceled(void *userdata) {
        const NotifyReport *n = userdata;

        return *n->canceled;
}

void notify_report_init(NotifyReport *n, const volatile sig_atomic_t *canceled) {
        *n = (NotifyReport){
                .report = { on_stage, on_percent, on_line, on_canceled, n },
                .status = { .percent = -1 },
                .canceled = canceled,
        };
}

void notify_report_done(NotifyReport *n) {
        job_status_done(&n->status);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/import_client.h"

#include <systemd/sd-bus.h>
#include <time.h>

#include "agent/bootstrap/tool_output.h"
#include "base/strv.h"
#include "units/text.h"

#define SERVICE "org.freedesktop.import1"
#define MANAGER_PATH "/org/freedesktop/import1"
#define MANAGER SERVICE ".Manager"
#define TRANSFER SERVICE ".Transfer"
#define ASK_USEC 500000
#define CANCEL_USEC (UINT64_C(20) * 1000 * 1000)
#define CANCEL_ASK_USEC 100000
#define LAST_LINES 20
#define STALL_USEC (UINT64_C(120) * 1000 * 1000)
#define STALL_TEXT "systemd-importd has got nothing of %s for 120 seconds"

typedef struct Transfer {
        const ImportPull *pull;
        sd_bus *bus;
        uint32_t id; /* 0: not known yet */
        char *path;
        char **lines;
        bool over;
        char *result; /* "done", "canceled", "failed" */
        double progress;
        uint64_t heard_usec; /* CLOCK_MONOTONIC of the last news */
} Transfer;

static void transfer_done(Transfer *t) {
        free(t->path);
        strv_free(t->lines);
        free(t->result);
}

static uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static void say(const Transfer *t, const char *line) {
        const JobReport *report = t->pull->report;

        if (report->line)
                report->line(report->userdata, line);
}

static void keep_line(void *userdata, const char *line) {
        Transfer *t = userdata;
        size_t n = strv_length(t->lines);

        if (n >= LAST_LINES) {
                free(t->lines[0]);
                memmove(t->lines, t->lines + 1, n * sizeof(char *));
        }
        (void) strv_extend(&t->lines, line);
        say(t, line);
}

static int on_log_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Transfer *t = userdata;
        ToolLines lines = { .length = 0 };
        const char *text;
        uint32_t priority;

        if (!t->path || !streq(sd_bus_message_get_path(m), t->path) ||
            sd_bus_message_read(m, "us", &priority, &text) < 0)
                return 0;
        t->heard_usec = now_usec();
        tool_lines_add(&lines, text, strlen(text), keep_line, t);
        tool_lines_finish(&lines, keep_line, t);
        return 0;
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Transfer *t = userdata;
        const char *path, *result;
        uint32_t id;

        if (sd_bus_message_read(m, "uos", &id, &path, &result) < 0 || id != t->id)
                return 0;
        t->over = true;
        free(t->result);
        t->result = strdup(result);
        return 0;
}

/* importd ends while nothing is transferred; while something is, its end is the transfer's. */
static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Transfer *t = userdata;
        const char *name, *before, *after;

        if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0 || !*before || *after)
                return 0;
        t->over = true;
        return 0;
}

/* Before the call, so that nothing is missed. */
static int watch(Transfer *t) {
        int r;

        r = sd_bus_match_signal(t->bus, NULL, SERVICE, NULL, TRANSFER, "LogMessage", on_log_message,
                                t);
        if (r >= 0)
                r = sd_bus_match_signal(t->bus, NULL, SERVICE, MANAGER_PATH, MANAGER,
                                        "TransferRemoved", on_removed, t);
        if (r >= 0)
                r = sd_bus_add_match(t->bus, NULL,
                                     "type='signal',sender='org.freedesktop.DBus',"
                                     "member='NameOwnerChanged',arg0='" SERVICE "'",
                                     on_owner_changed, t);
        return r < 0 ? r : 0;
}

static int begin(Transfer *t, Error **err) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const ImportPull *p = t->pull;
        const char *path;
        int r;

        r = sd_bus_call_method(t->bus, SERVICE, MANAGER_PATH, MANAGER,
                               p->raw ? "PullRaw" : "PullTar", &error, &reply, "sssb", p->url,
                               p->name, p->verify, (int) false);
        if (r < 0)
                return error_set(err, -r, "systemd-importd does not pull %s: %s", p->url,
                                 error.message ? error.message : strerror(-r));
        r = sd_bus_message_read(reply, "uo", &t->id, &path);
        if (r < 0)
                return r;
        t->path = strdup(path);
        return t->path ? 0 : -ENOMEM;
}

/* The answer comes with the signals; a transfer that is over has none. */
static int on_progress(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Transfer *t = userdata;
        const JobReport *report = t->pull->report;
        double progress;

        if (sd_bus_message_is_method_error(m, NULL) ||
            sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "d") < 0 ||
            sd_bus_message_read(m, "d", &progress) < 0)
                return 0;
        if (progress > t->progress) {
                t->progress = progress;
                t->heard_usec = now_usec();
        }
        if (report->percent && progress >= 0 && progress <= 1)
                report->percent(report->userdata, 100 * progress);
        return 0;
}

static int ask_progress(Transfer *t) {
        return sd_bus_call_method_async(t->bus, NULL, SERVICE, t->path,
                                        "org.freedesktop.DBus.Properties", "Get", on_progress, t,
                                        "ss", TRANSFER, "Progress");
}

static void cancel(Transfer *t) {
        (void) sd_bus_call_method(t->bus, SERVICE, t->path, TRANSFER, "Cancel", NULL, NULL, NULL);
}

/* systemd 252 takes one finished file for each event of its downloader: of several that end at the
 * same moment it forgets all but one, and waits for them without end (fixed by 257). */
static int go_on(const Transfer *t) {
        const JobReport *report = t->pull->report;

        if (report->canceled && report->canceled(report->userdata))
                return -ECANCELED;
        return now_usec() - t->heard_usec < STALL_USEC ? 0 : -ETIMEDOUT;
}

static int follow(Transfer *t) {
        uint64_t asked = 0;
        int r = 0;

        t->heard_usec = now_usec();
        while (!t->over) {
                r = go_on(t);
                if (r < 0) {
                        cancel(t);
                        return r;
                }
                if (now_usec() - asked >= ASK_USEC) {
                        asked = now_usec();
                        r = ask_progress(t);
                }
                if (r >= 0)
                        r = sd_bus_process(t->bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(t->bus, ASK_USEC);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return 0;
}

static int conclude(const Transfer *t, Error **err) {
        _cleanup_free_ char *lines = NULL;
        const char *hint;
        int code;

        if (t->result && streq(t->result, "done"))
                return 0;
        lines = strv_join(t->lines, "\n  ");
        hint = tool_hint(t->lines, &code);
        return error_set(err, code, "systemd-importd could not pull %s%s%s%s%s", t->pull->url,
                         isempty(lines) ? "" : ". Its last lines:\n  ", lines ? lines : "",
                         hint ? "\n" : "", hint ? hint : "");
}

/*
 * Somebody else's transfer
 */

/* *ret_path: its object; NULL: there is none. An importd that does not run has none. */
static int find_transfer(sd_bus *bus, const char *name, char **ret_path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const char *type, *remote, *local, *path;
        double progress;
        uint32_t id;
        int r;

        *ret_path = NULL;
        r = sd_bus_message_new_method_call(bus, &m, SERVICE, MANAGER_PATH, MANAGER,
                                           "ListTransfers");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r < 0 || sd_bus_call(bus, m, 0, NULL, &reply) < 0)
                return r < 0 ? r : 0;
        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "(usssdo)");
        while (r >= 0 && !*ret_path &&
               (r = sd_bus_message_read(reply, "(usssdo)", &id, &type, &remote, &local, &progress,
                                        &path)) > 0)
                if (streq(local, name) && !(*ret_path = strdup(path)))
                        r = -ENOMEM;
        return r < 0 ? r : 0;
}

int import_cancel(const char *name) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        uint64_t began = now_usec();
        int r;

        r = sd_bus_open_system(&bus);
        while (r >= 0 && now_usec() - began < CANCEL_USEC) {
                _cleanup_free_ char *path = NULL;

                r = find_transfer(bus, name, &path);
                if (r < 0 || !path)
                        return r;
                (void) sd_bus_call_method(bus, SERVICE, path, TRANSFER, "Cancel", NULL, NULL, NULL);
                while (sd_bus_process(bus, NULL) > 0)
                        ;
                (void) sd_bus_wait(bus, CANCEL_ASK_USEC);
        }
        return r < 0 ? r : -ETIMEDOUT;
}

/*
 * Ours
 */

/* A bus of its own, as what comes on it is told to the transfer. */
static int pull_once(const ImportPull *p, bool *ret_stalled, Error **err) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(transfer_done) Transfer t = { .pull = p };
        int r;

        *ret_stalled = false;
        r = sd_bus_open_system(&bus);
        if (r < 0)
                return error_set(err, -r, "no connection to the system bus: %s", strerror(-r));
        t.bus = bus;
        r = watch(&t);
        if (r >= 0)
                r = begin(&t, err);
        if (r < 0)
                return error_set(err, -r, "systemd-importd: %s", strerror(-r));
        r = follow(&t);
        if (r == -ECANCELED)
                return error_set(err, ECANCELED, "canceled while %s was pulled", p->url);
        if (r == -ETIMEDOUT) {
                *ret_stalled = true;
                return error_set(err, ETIMEDOUT, STALL_TEXT "; try again", p->url);
        }
        if (r < 0)
                return error_set(err, -r, "systemd-importd: %s", strerror(-r));
        return conclude(&t, err);
}

/* Of two that stall the second is the server's fault, or the network's. */
int import_pull(const ImportPull *p, Error **err) {
        _cleanup_error_ Error *stall = NULL;
        _cleanup_free_ char *text = NULL;
        bool stalled;
        int r;

        r = pull_once(p, &stalled, &stall);
        if (stalled) {
                text = text_format(STALL_TEXT "; trying it once more", p->url);
                if (text && p->report->line)
                        p->report->line(p->report->userdata, text);
                r = import_cancel(p->name);
                if (r < 0)
                        return error_set(err, -r, "systemd-importd does not end a transfer: %s",
                                         strerror(-r));
                return pull_once(p, &stalled, err);
        }
        if (err)
                *err = TAKE_PTR(stall);
        return r;
}

/* xescape() of systemd with the characters of its pull-common.c. */
char *import_hidden_name(const char *url, bool raw) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        fputs(raw ? ".raw-" : ".tar-", f);
        for (const unsigned char *c = (const unsigned char *) url; *c; c++) {
                if (*c < ' ' || *c >= 127 || strchr("\\/.#\"'", *c))
                        (void) fprintf(f, "\\x%02x", *c);
                else
                        fputc(*c, f);
        }
        if (fclose(f) == 0)
                return text;
        free(text);
        return NULL;
}

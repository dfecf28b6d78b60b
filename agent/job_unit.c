/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job_unit.h"

#include "agent/job_life.h"
#include "agent/job_sandbox.h"
#include "agent/manager.h"
#include "base/log.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT_PREFIX "/org/freedesktop/systemd1/unit"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define PROPERTIES "org.freedesktop.DBus.Properties"

#define CALL_TIMEOUT_USEC (UINT64_C(90) * 1000 * 1000)
#define STOP_TIMEOUT_USEC (UINT64_C(60) * 1000 * 1000)

/*
 * What systemd says of it
 */

typedef struct UnitNews {
        const char *active_state; /* NULL: nothing was said of it */
        const char *status_text;
        const char *result;
        uint32_t job; /* of systemd: its start is still to come */
} UnitNews;

static int read_job(sd_bus_message *m, uint32_t *ret) {
        const char *path;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "(uo)");
        if (r >= 0)
                r = sd_bus_message_read(m, "(uo)", ret, &path);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_property(sd_bus_message *m, UnitNews *news) {
        const char *key;
        int r;

        r = sd_bus_message_read(m, "s", &key);
        if (r < 0)
                return r;
        if (streq(key, "ActiveState"))
                return sd_bus_message_read(m, "v", "s", &news->active_state);
        if (streq(key, "StatusText"))
                return sd_bus_message_read(m, "v", "s", &news->status_text);
        if (streq(key, "Result"))
                return sd_bus_message_read(m, "v", "s", &news->result);
        if (streq(key, "Job"))
                return read_job(m, &news->job);
        return sd_bus_message_skip(m, "v");
}

static int read_news(sd_bus_message *m, UnitNews *news) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = read_property(m, news);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static bool is_down(const char *active_state) {
        return active_state && (streq(active_state, "inactive") || streq(active_state, "failed"));
}

static void take_news(Job *job, const UnitNews *news) {
        if (news->result && !streq(news->result, "success")) {
                free(job->unit_result);
                job->unit_result = strdup(news->result);
        }
        if (!news->status_text || !job_set_status(job, news->status_text))
                return;
        (void) job_spec_learn_name(job->manager->jobs.fd, job->spec);
        job_on_progress(job);
}

/* The handler of a call must not keep a job that has gone: it asks for it by its ID. */
typedef struct UnitCall {
        Manager *manager;
        char id[JOB_ID_LENGTH + 1];
} UnitCall;

static Job *call_end(UnitCall *call) {
        Job *job = job_by_id(&call->manager->jobs, call->id);

        free(call);
        return job && job->state == JOB_STATE_RUNNING ? job : NULL;
}

/* Takes the message over. */
static int send_call(Job *job, sd_bus_message *m, BusCallHandler handler) {
        UnitCall *call;
        int r;

        if (!handler) {
                r = bus_calls_add(job->manager->calls, m, CALL_TIMEOUT_USEC, NULL, NULL);
                sd_bus_message_unref(m);
                return r;
        }
        call = calloc(1, sizeof(*call));
        if (!call) {
                sd_bus_message_unref(m);
                return -ENOMEM;
        }
        call->manager = job->manager;
        memcpy(call->id, job->spec->id, sizeof(call->id));
        r = bus_calls_add(job->manager->calls, m, CALL_TIMEOUT_USEC, handler, call);
        sd_bus_message_unref(m);
        if (r < 0)
                free(call);
        return r;
}

static void unit_ended(Job *job) {
        if (job->collected)
                return;
        job->collected = true;
        job_on_unit_end(job, NULL);
}

/* A unit that is not loaded (any more) is loaded by the question, found to have no file, and
 * inactive. */
static void on_looked(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        Job *job = call_end(userdata);
        UnitNews news = { 0 };

        if (!job)
                return;
        if (error || read_news(reply, &news) < 0) {
                log_warning("Could not find out how job %s is: %s", job->spec->id,
                            error ? error->message : "unexpected answer");
                return;
        }
        take_news(job, &news);
        if (is_down(news.active_state) && news.job == 0)
                unit_ended(job);
}

static int look(Job *job) {
        _cleanup_free_ char *path = NULL;
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_path_encode(UNIT_PREFIX, job->unit, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_call(job->manager->bus, &m, SYSTEMD_NAME, path,
                                                   PROPERTIES, "GetAll");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "");
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        return send_call(job, m, on_looked);
}

/* Before its start a unit is inactive too, which its queued start tells apart: so it is looked at
 * again. */
static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitNews news = { 0 };
        const char *interface;
        Job *job = userdata;

        if (sd_bus_message_read(m, "s", &interface) < 0 || read_news(m, &news) < 0)
                return 0;
        take_news(job, &news);
        if (is_down(news.active_state))
                (void) look(job);
        return 0;
}

static int listen_to_unit(Job *job) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNIT_PREFIX, job->unit, &path);
        if (r < 0)
                return r;
        job->properties_slot = sd_bus_slot_unref(job->properties_slot);
        return sd_bus_match_signal_async(job->manager->bus, &job->properties_slot, SYSTEMD_NAME,
                                         path, PROPERTIES, "PropertiesChanged", on_properties, NULL,
                                         job);
}

int job_unit_follow(Job *job) {
        int r = listen_to_unit(job);

        return r < 0 ? r : look(job);
}

/*
 * Start and stop
 */

static int append_command(sd_bus_message *m, const char *property, const char *order,
                          const char *id) {
        return sd_bus_message_append(m, "(sv)", property, "a(sasb)", 1, CTVIRT_JOB_PROGRAM, 3,
                                     CTVIRT_JOB_PROGRAM, order, id, false);
}

/* What the unit writes to standard output is data then, and must not hear errors as well: systemd
 * makes one of both if they have the same setting (can_inherit_stderr_from_stdout() in
 * core/execute.c), whatever descriptor is there in the end. */
static int append_fds(sd_bus_message *m, const Job *job) {
        int r = 0;

        if (job->input_fd >= 0)
                r = sd_bus_message_append(m, "(sv)", "StandardInputFileDescriptor", "h",
                                          job->input_fd);
        if (r >= 0 && job->output_fd >= 0)
                r = sd_bus_message_append(m, "(sv)(sv)", "StandardOutput", "s", "null",
                                          "StandardOutputFileDescriptor", "h", job->output_fd);
        return r < 0 ? r : sd_bus_message_append(m, "(sv)", "StandardError", "s", "journal");
}

static int append_unit(sd_bus_message *m, const Job *job) {
        _cleanup_free_ char *what = job_describe(job->spec), *description = NULL;
        int r;

        if (!what || asprintf(&description, "ctvirt: %s", what) < 0) {
                description = NULL;
                return -ENOMEM;
        }
        /* The unit's own STATUS= is all that anybody else may say. */
        r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s", description,
                                  "Type", "s", "exec", "NotifyAccess", "s", "main", "KillMode", "s",
                                  "mixed", "CollectMode", "s", "inactive-or-failed",
                                  "TimeoutStopUSec", "t", STOP_TIMEOUT_USEC);
        if (r >= 0)
                r = append_command(m, "ExecStart", "run", job->spec->id);
        if (r >= 0)
                r = append_command(m, "ExecStopPost", "clean", job->spec->id);
        if (r >= 0)
                r = append_fds(m, job);
        return r < 0 ? r : job_sandbox_append(m, job->spec);
}

static int new_order(const Job *job, const char *method, sd_bus_message **ret) {
        return sd_bus_message_new_method_call(job->manager->bus, ret, SYSTEMD_NAME, SYSTEMD_PATH,
                                              SYSTEMD_MANAGER, method);
}

static int new_start(const Job *job, sd_bus_message **ret) {
        sd_bus_message *m = NULL;
        int r;

        r = new_order(job, "StartTransientUnit", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", job->unit, "fail");
        if (r >= 0)
                r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "(sv)");
        if (r >= 0)
                r = append_unit(m, job);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_append(m, "a(sa(sv))", 0);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        *ret = m;
        return 0;
}

static void on_started(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_free_ char *sentence = NULL;
        Job *job = call_end(userdata);

        if (!job)
                return;
        /* systemd has its own copies of them. */
        closep(&job->input_fd);
        closep(&job->output_fd);
        job->input_fd = job->output_fd = -1;

        if (!error) {
                (void) look(job);
                return;
        }
        if (asprintf(&sentence, "systemd: %s", error->message) < 0)
                sentence = NULL;
        job->collected = true;
        job_on_unit_end(job, sentence ? sentence : "systemd refused it");
}

int job_unit_start(Job *job) {
        sd_bus_message *m = NULL;
        int r;

        if (!job->manager->bus)
                return -ENOTCONN;
        r = listen_to_unit(job);
        if (r >= 0)
                r = new_start(job, &m);
        return r < 0 ? r : send_call(job, m, on_started);
}

int job_unit_stop(Job *job) {
        sd_bus_message *m = NULL;
        int r;

        if (!job->manager->bus)
                return -ENOTCONN;
        r = new_order(job, "StopUnit", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", job->unit, "replace");
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        return send_call(job, m, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UnitClient against a peer that answers as systemd does, but when the test wants it. (The real one
 * is asked by the host tests.)
 */

#include "units/unit_client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "units/bus_guard.h"
#include "units/unit_list.h"

#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define UNIT_PREFIX MANAGER_PATH "/unit/systemd_2dnspawn_40"
#define HELD_MAX 256

typedef struct Test {
        sd_event *event;
        sd_bus *client_bus;
        UnitClient *client;

        /* The peer. */
        sd_bus *peer;
        char **calls;     /* "Member argument" */
        char **rows;      /* "name active-state" of the list */
        const char *hold; /* calls of this member wait for release() */
        sd_bus_message *held[HELD_MAX];
        size_t n_held;
        const char *early; /* the job's end is told before its number */
        uint32_t last_job;

        /* What the client told. */
        char **told;
        unsigned n_reloads;
} Test;

/*
 * The peer
 */

static void emit_job_removed(Test *t, uint32_t id, const char *unit, const char *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char path[64];

        (void) snprintf(path, sizeof(path), MANAGER_PATH "/job/%u", id);
        assert_true(sd_bus_message_new_signal(t->peer, &m, MANAGER_PATH, MANAGER_INTERFACE,
                                              "JobRemoved") >= 0);
        assert_true(sd_bus_message_set_sender(m, ":1.0") >= 0);
        assert_true(sd_bus_message_append(m, "uoss", id, path, unit, result) >= 0);
        assert_true(sd_bus_send(t->peer, m, NULL) >= 0);
}

static void emit_reloading(Test *t, bool begins) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_signal(t->peer, &m, MANAGER_PATH, MANAGER_INTERFACE,
                                              "Reloading") >= 0);
        assert_true(sd_bus_message_set_sender(m, ":1.0") >= 0);
        assert_true(sd_bus_message_append(m, "b", begins) >= 0);
        assert_true(sd_bus_send(t->peer, m, NULL) >= 0);
}

/* types: the D-Bus signature of what follows (sa{sv}as). */
static void emit_changed(Test *t, const char *path, const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        va_list ap;

        assert_true(sd_bus_message_new_signal(t->peer, &m, path, "org.freedesktop.DBus.Properties",
                                              "PropertiesChanged") >= 0);
        assert_true(sd_bus_message_set_sender(m, ":1.0") >= 0);
        va_start(ap, types);
        assert_true(sd_bus_message_appendv(m, types, ap) >= 0);
        va_end(ap);
        assert_true(sd_bus_send(t->peer, m, NULL) >= 0);
}

static int answer_job(Test *t, sd_bus_message *call) {
        const char *unit;
        char path[64];

        assert_true(sd_bus_message_rewind(call, true) >= 0);
        assert_true(sd_bus_message_read(call, "s", &unit) >= 0);
        if (endswith(unit, "nosuch.service"))
                return sd_bus_reply_method_errorf(call, "org.freedesktop.systemd1.NoSuchUnit",
                                                  "Unit %s not found.", unit);
        t->last_job++;
        if (t->early)
                emit_job_removed(t, t->last_job, unit, t->early);
        (void) snprintf(path, sizeof(path), MANAGER_PATH "/job/%u", t->last_job);
        return sd_bus_reply_method_return(call, "o", path);
}

static int append_row(sd_bus_message *reply, const char *row) {
        _cleanup_free_ char *copy = strdup(row), *path = NULL;
        char *active, *position = copy, *name = strsep(&position, " ");

        active = position;
        assert_true(sd_bus_path_encode(MANAGER_PATH "/unit", name, &path) >= 0);
        return sd_bus_message_append(reply, "(ssssssouso)", name, "Container", "loaded", active,
                                     "running", "", path, 0, "", "/");
}

static int answer_list(Test *t, sd_bus_message *call) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        assert_true(sd_bus_message_new_method_return(call, &reply) >= 0);
        assert_true(sd_bus_message_open_container(reply, 'a', "(ssssssouso)") >= 0);
        STRV_FOREACH(row, t->rows)
                assert_true(append_row(reply, *row) >= 0);
        assert_true(sd_bus_message_close_container(reply) >= 0);
        return sd_bus_send(NULL, reply, NULL);
}

static int answer_get(sd_bus_message *call) {
        const char *interface, *name;

        assert_true(sd_bus_message_rewind(call, true) >= 0);
        assert_true(sd_bus_message_read(call, "ss", &interface, &name) >= 0);
        if (streq(name, "MainPID"))
                return sd_bus_reply_method_return(call, "v", "u", 4711);
        if (streq(name, "ConditionResult"))
                return sd_bus_reply_method_return(call, "v", "b", true);
        if (strstr(name, "Timestamp"))
                return sd_bus_reply_method_return(call, "v", "t", UINT64_C(1700000000000000));
        if (streq(name, "Result"))
                return sd_bus_reply_method_return(call, "v", "s", "success");
        return sd_bus_reply_method_return(call, "v", "s", "of-get");
}

static int answer(Test *t, sd_bus_message *call) {
        const char *member = sd_bus_message_get_member(call);

        if (endswith(member, "tUnit") || streq(member, "StopUnit"))
                return answer_job(t, call);
        if (streq(member, "ListUnitsByPatterns"))
                return answer_list(t, call);
        if (streq(member, "Get"))
                return answer_get(call);
        if (streq(member, "EnableUnitFiles"))
                return sd_bus_reply_method_return(call, "ba(sss)", true, 0);
        if (streq(member, "DisableUnitFiles"))
                return sd_bus_reply_method_return(call, "a(sss)", 0);
        if (streq(member, "KillUnit"))
                return sd_bus_reply_method_errorf(call, "org.freedesktop.systemd1.NoSuchProcess",
                                                  "No process.");
        return sd_bus_reply_method_return(call, "");
}

static void note_call(Test *t, sd_bus_message *call) {
        const char *argument = "", *second = NULL;
        char type = 0;

        (void) sd_bus_message_peek_type(call, &type, NULL);
        if (type == 'a')
                (void) sd_bus_message_enter_container(call, 'a', "s");
        (void) sd_bus_message_read(call, "s", &argument);
        (void) sd_bus_message_read(call, "s", &second);
        assert_true(strv_extendf(&t->calls, "%s %s%s%s", sd_bus_message_get_member(call), argument,
                                 second ? " " : "", second ? second : "") >= 0);
}

static int peer_on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Test *t = userdata;

        if (!sd_bus_message_is_method_call(m, NULL, NULL))
                return 0;
        note_call(t, m);
        if (t->hold && streq(sd_bus_message_get_member(m), t->hold)) {
                assert_true(t->n_held < HELD_MAX);
                t->held[t->n_held++] = sd_bus_message_ref(m);
                return 1;
        }
        assert_true(answer(t, m) >= 0);
        return 1;
}

static void run(Test *t) {
        while (sd_event_run(t->event, 0) > 0)
                ;
}

static void release(Test *t) {
        size_t n = t->n_held;

        t->n_held = 0;
        for (size_t i = 0; i < n; i++) {
                assert_true(answer(t, t->held[i]) >= 0);
                (void) sd_bus_message_unref(t->held[i]);
        }
        run(t);
}

/*
 * What is told
 */

static void assert_strv(char ***v, const char *expected) {
        _cleanup_free_ char *text = strv_join(*v, ", ");

        assert_string_equal(text, expected);
        *v = strv_free(*v);
}

static void on_change(const UnitState *s, void *userdata) {
        Test *t = userdata;

        assert_true(strv_extendf(&t->told, "%s:%s/%s/%s/%s/%d/%u%s", s->unit, s->load_state,
                                 s->active_state, s->sub_state, s->result, s->condition_result,
                                 s->main_pid, s->active_enter_usec ? "" : "/never") >= 0);
}

static void on_reload(void *userdata) {
        Test *t = userdata;

        t->n_reloads++;
}

static void on_order(const UnitReply *reply, void *userdata) {
        Test *t = userdata;

        assert_true(strv_extendf(&t->told, "%s=%s", reply->unit ? reply->unit : "-",
                                 reply->error        ? reply->error->name
                                 : reply->job_result ? reply->job_result
                                                     : "ok") >= 0);
}

static int on_list(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Test *t = userdata;

        t->told = strv_free(t->told);
        assert_false(sd_bus_message_is_method_error(reply, NULL));
        assert_true(unit_list_names(reply, &t->told) >= 0);
        return 0;
}

/*
 * Tests
 */

static void test_job(void **state) {
        static const struct {
                UnitJob job;
                const char *call;
        } rows[] = {
                { UNIT_JOB_START, "StartUnit a.service replace" },
                { UNIT_JOB_STOP, "StopUnit a.service replace" },
                { UNIT_JOB_RESTART, "RestartUnit a.service replace" },
        };
        Test *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(unit_client_job(t->client, rows[i].job, "a.service", on_order, t),
                                 0);
                run(t);
                assert_strv(&t->calls, rows[i].call);
                emit_job_removed(t, t->last_job + 1, "b.service", "done");
                emit_job_removed(t, t->last_job - 1, "a.service", "canceled");
                run(t);
                assert_strv(&t->told, "");
                emit_job_removed(t, t->last_job, "a.service", "failed");
                run(t);
                assert_strv(&t->told, "a.service=failed");
        }
}

static void test_job_refused(void **state) {
        Test *t = *state;

        assert_int_equal(unit_client_job(t->client, UNIT_JOB_START, "nosuch.service", on_order, t),
                         0);
        run(t);
        assert_strv(&t->told, "nosuch.service=org.freedesktop.systemd1.NoSuchUnit");
}

static void test_job_ends_before_its_number_is_known(void **state) {
        Test *t = *state;

        t->early = "skipped";
        assert_int_equal(unit_client_job(t->client, UNIT_JOB_START, "a.service", on_order, t), 0);
        run(t);
        assert_strv(&t->told, "a.service=skipped");
}

/* systemd merges equal jobs. */
static void test_two_orders_one_job(void **state) {
        Test *t = *state;

        assert_int_equal(unit_client_job(t->client, UNIT_JOB_START, "a.service", on_order, t), 0);
        run(t);
        t->last_job--;
        assert_int_equal(unit_client_job(t->client, UNIT_JOB_START, "a.service", on_order, t), 0);
        assert_int_equal(unit_client_job(t->client, UNIT_JOB_STOP, "b.service", NULL, NULL), 0);
        run(t);
        emit_job_removed(t, 1, "a.service", "done");
        emit_job_removed(t, 2, "b.service", "done");
        run(t);
        assert_strv(&t->told, "a.service=done, a.service=done");
}

/* PID 1 can follow 512 jobs of bus clients. */
static void test_many_jobs(void **state) {
        Test *t = *state;
        size_t n_ended = 0;

        for (int i = 0; i < 600; i++)
                assert_int_equal(
                        unit_client_job(t->client, UNIT_JOB_START, "a.service", on_order, t), 0);
        while (n_ended < 600) {
                run(t);
                assert_in_range(t->last_job - n_ended, 1, 300);
                emit_job_removed(t, (uint32_t) ++n_ended, "a.service", "done");
        }
        run(t);
        assert_int_equal(t->last_job, 600);
        assert_int_equal(strv_length(t->told), 600);
}

static void test_bad_names(void **state) {
        static const char *const names[] = { "", "nodot", ".service", "a b.service",
                                             "a/b.service" };
        Test *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                assert_int_equal(unit_client_job(t->client, UNIT_JOB_START, names[i], on_order, t),
                                 -EINVAL);
                assert_int_equal(unit_client_enable(t->client, names[i], true, on_order, t),
                                 -EINVAL);
                assert_int_equal(unit_client_reset_failed(t->client, names[i]), -EINVAL);
        }
        run(t);
        assert_strv(&t->calls, "");
}

static void test_orders_without_job(void **state) {
        Test *t = *state;

        assert_int_equal(unit_client_kill(t->client, "a.service", "all", SIGTERM, on_order, t), 0);
        assert_int_equal(unit_client_reset_failed(t->client, "a.service"), 0);
        run(t);
        assert_strv(&t->told, "a.service=org.freedesktop.systemd1.NoSuchProcess");
        assert_strv(&t->calls, "KillUnit a.service all, ResetFailedUnit a.service");
}

static void ask_list(Test *t, const char *state) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert_true(unit_list_new_call(t->client_bus, state, &m) >= 0);
        assert_true(sd_bus_call_async(t->client_bus, NULL, m, on_list, t, 0) >= 0);
        run(t);
}

static void emit_to(Test *t, const char *sender, const char *destination) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert_true(sd_bus_message_new_signal(t->peer, &m, MANAGER_PATH, MANAGER_INTERFACE,
                                              "Reloading") >= 0);
        assert_true(sd_bus_message_set_sender(m, sender) >= 0);
        if (destination)
                assert_true(sd_bus_message_set_destination(m, destination) >= 0);
        assert_true(sd_bus_message_append(m, "b", false) >= 0);
        assert_true(sd_bus_send(t->peer, m, NULL) >= 0);
        run(t);
}

/* Anybody can address a signal to us. */
static void test_made_up_signal(void **state) {
        Test *t = *state;

        assert_true(bus_guard_add(t->client_bus) >= 0);
        emit_to(t, ":1.0", NULL);
        assert_int_equal(t->n_reloads, 1);
        emit_to(t, ":1.66", ":1.7");
        assert_int_equal(t->n_reloads, 1);
}

static void test_unit_list(void **state) {
        Test *t = *state;

        ask_list(t, "failed");
        assert_strv(&t->calls, "ListUnitsByPatterns failed");
        assert_strv(&t->told, "");

        assert_int_equal(strv_extend(&t->rows, "systemd-nspawn@x.service failed"), 0);
        assert_int_equal(strv_extend(&t->rows, "systemd-nspawn@y.service active"), 0);
        ask_list(t, NULL);
        assert_strv(&t->told, "systemd-nspawn@x.service, systemd-nspawn@y.service");
}

static void test_enable(void **state) {
        Test *t = *state;

        assert_int_equal(unit_client_enable(t->client, "a.service", true, on_order, t), 0);
        run(t);
        assert_strv(&t->calls, "EnableUnitFiles a.service machines.target, Reload ");
        assert_strv(&t->told, "a.service=ok");
        assert_int_equal(unit_client_enable(t->client, "a.service", false, on_order, t), 0);
        run(t);
        assert_strv(&t->calls, "DisableUnitFiles a.service, Reload ");
        assert_strv(&t->told, "a.service=ok");
}

/* What comes during a reload waits for the next one, together. */
static void test_reloads_are_shared(void **state) {
        Test *t = *state;

        t->hold = "Reload";
        assert_int_equal(unit_client_enable(t->client, "a.service", true, on_order, t), 0);
        run(t);
        assert_strv(&t->calls, "EnableUnitFiles a.service machines.target, Reload ");
        assert_int_equal(unit_client_enable(t->client, "b.service", true, on_order, t), 0);
        assert_int_equal(unit_client_enable(t->client, "c.service", false, on_order, t), 0);
        assert_int_equal(unit_client_reload(t->client, on_order, t), 0);
        run(t);
        assert_strv(&t->told, "");
        t->calls = strv_free(t->calls);

        release(t);
        assert_strv(&t->told, "a.service=ok");
        assert_strv(&t->calls, "Reload ");
        release(t);
        assert_strv(&t->told, "-=ok, b.service=ok, c.service=ok");
        assert_strv(&t->calls, "");
}

/* dbus-daemon allows 128 unanswered calls. */
static void test_many_units(void **state) {
        Test *t = *state;
        size_t most = 0, n = 0;

        for (int i = 0; i < 60; i++)
                assert_int_equal(strv_extendf(&t->rows, "systemd-nspawn@c%d.service active", i), 0);
        t->hold = "Get";
        assert_int_equal(unit_client_start(t->client), 0);
        run(t);
        while (t->n_held > 0) {
                most = t->n_held > most ? t->n_held : most;
                n += t->n_held;
                release(t);
        }
        assert_in_range(most, 32, 100);
        assert_int_equal(n, 60 * 5);
        assert_int_equal(strv_length(t->told), 60);
        assert_string_equal(t->told[0],
                            "systemd-nspawn@c0.service:loaded/active/running/success/1/4711");
}

static void start_with(Test *t, const char *row) {
        assert_int_equal(strv_extend(&t->rows, row), 0);
        assert_int_equal(unit_client_start(t->client), 0);
        run(t);
        t->told = strv_free(t->told);
        t->calls = strv_free(t->calls);
}

static void test_state_changes(void **state) {
        Test *t = *state;

        start_with(t, "systemd-nspawn@a.service active");
        emit_changed(t, UNIT_PREFIX "a_2eservice", "sa{sv}as", "org.freedesktop.systemd1.Service",
                     3, "MainPID", "u", 0, "NRestarts", "u", 3, "Result", "s", "exit-code", 0);
        run(t);
        assert_strv(&t->told, "");
        emit_changed(t, UNIT_PREFIX "a_2eservice", "sa{sv}as", "org.freedesktop.systemd1.Unit", 4,
                     "ActiveState", "s", "failed", "Job", "(uo)", 0, "/", "SubState", "s", "failed",
                     "ConditionResult", "b", false, 1, "Job");
        run(t);
        assert_strv(&t->told, "systemd-nspawn@a.service:loaded/failed/failed/exit-code/0/0");

        /* The same again, and news of others. */
        emit_changed(t, UNIT_PREFIX "a_2eservice", "sa{sv}as", "org.freedesktop.systemd1.Unit", 1,
                     "ActiveState", "s", "failed", 0);
        emit_changed(t, MANAGER_PATH "/unit/ssh_2eservice", "sa{sv}as",
                     "org.freedesktop.systemd1.Unit", 1, "ActiveState", "s", "failed", 0);
        run(t);
        assert_strv(&t->told, "");
        assert_strv(&t->calls, "");
}

/* Its first change is all that we hear of a unit that was loaded later. */
static void test_new_unit(void **state) {
        Test *t = *state;

        start_with(t, "systemd-nspawn@a.service active");
        emit_changed(t, UNIT_PREFIX "b_2eservice", "sa{sv}as", "org.freedesktop.systemd1.Unit", 1,
                     "ActiveState", "s", "activating", 0);
        run(t);
        assert_strv(&t->told, "systemd-nspawn@b.service:of-get/of-get/of-get/success/1/4711");
        assert_int_equal(strv_length(t->calls), 8);
}

static void test_reload_signal(void **state) {
        Test *t = *state;

        start_with(t, "systemd-nspawn@a.service active");
        emit_reloading(t, true);
        run(t);
        assert_int_equal(t->n_reloads, 0);

        t->rows = strv_free(t->rows);
        assert_int_equal(strv_extend(&t->rows, "systemd-nspawn@b.service active"), 0);
        emit_reloading(t, false);
        run(t);
        assert_int_equal(t->n_reloads, 1);
        assert_strv(&t->told, "systemd-nspawn@a.service:loaded/inactive/dead/success/1/0, "
                              "systemd-nspawn@b.service:loaded/active/running/success/1/4711");

        emit_reloading(t, false);
        run(t);
        assert_strv(&t->told, "");
}

/* A unit may go while its properties are on their way. */
static void test_unit_goes_early(void **state) {
        Test *t = *state;

        t->hold = "Get";
        assert_int_equal(strv_extend(&t->rows, "systemd-nspawn@a.service active"), 0);
        assert_int_equal(unit_client_start(t->client), 0);
        run(t);
        t->rows = strv_free(t->rows);
        emit_reloading(t, false);
        run(t);
        assert_strv(&t->told, "");
        release(t);
        assert_int_equal(strv_length(t->told), 1);
}

static void test_free_with_open_orders(void **state) {
        Test *t = *state;

        t->hold = "Reload";
        for (int i = 0; i < 300; i++)
                assert_int_equal(
                        unit_client_job(t->client, UNIT_JOB_START, "a.service", on_order, t), 0);
        assert_int_equal(unit_client_enable(t->client, "a.service", true, on_order, t), 0);
        run(t);
        t->told = strv_free(t->told);
        for (int i = 0; i < 300; i++)
                assert_int_equal(
                        unit_client_job(t->client, UNIT_JOB_START, "a.service", on_order, t), 0);
        assert_int_equal(unit_client_reload(t->client, on_order, t), 0);
        t->client = unit_client_free(t->client);
        run(t);
        assert_strv(&t->told, "");
}

static int set_up(void **state) {
        Test *t = calloc(1, sizeof(*t));
        int fds[2];

        assert_non_null(t);
        *state = t;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
                         0);
        assert_true(sd_event_new(&t->event) >= 0);

        assert_true(sd_bus_new(&t->peer) >= 0);
        assert_true(sd_bus_set_fd(t->peer, fds[0], fds[0]) >= 0);
        assert_true(sd_bus_set_server(t->peer, true, (sd_id128_t){ .bytes = { 1 } }) >= 0);
        assert_true(sd_bus_add_filter(t->peer, NULL, peer_on_message, t) >= 0);
        assert_true(sd_bus_start(t->peer) >= 0);
        assert_true(sd_bus_attach_event(t->peer, t->event, 0) >= 0);

        assert_true(sd_bus_new(&t->client_bus) >= 0);
        assert_true(sd_bus_set_fd(t->client_bus, fds[1], fds[1]) >= 0);
        assert_true(sd_bus_start(t->client_bus) >= 0);
        assert_true(sd_bus_attach_event(t->client_bus, t->event, 0) >= 0);
        run(t);
        return unit_client_new(t->client_bus, on_change, on_reload, t, &t->client);
}

static int tear_down(void **state) {
        Test *t = *state;

        for (size_t i = 0; i < t->n_held; i++)
                (void) sd_bus_message_unref(t->held[i]);
        (void) unit_client_free(t->client);
        (void) sd_bus_close_unref(t->client_bus);
        (void) sd_bus_close_unref(t->peer);
        (void) sd_event_unref(t->event);
        (void) strv_free(t->calls);
        (void) strv_free(t->rows);
        (void) strv_free(t->told);
        free(t);
        return 0;
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                test(test_job),
                test(test_job_refused),
                test(test_job_ends_before_its_number_is_known),
                test(test_two_orders_one_job),
                test(test_many_jobs),
                test(test_bad_names),
                test(test_orders_without_job),
                test(test_unit_list),
                test(test_made_up_signal),
                test(test_enable),
                test(test_reloads_are_shared),
                test(test_many_units),
                test(test_state_changes),
                test(test_new_unit),
                test(test_reload_signal),
                test(test_unit_goes_early),
                test(test_free_with_open_orders),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

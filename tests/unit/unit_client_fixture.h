#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A UnitClient and a peer that answers as systemd does, but when the test wants it.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "units/unit_client.h"
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

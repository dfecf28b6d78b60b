/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UnitClient against a peer that answers as systemd does, but when the test wants it. (The real one
 * is asked by the host tests.)
 */

#include "units/unit_client.h"

#include "unit_client_fixture.h"
#include "units/bus_guard.h"

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

static void ask_list(Test *t, UnitListKind kind) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        assert_true(unit_list_new_call(t->client_bus, kind, &m) >= 0);
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

        ask_list(t, UNIT_LIST_TO_RESET);
        assert_strv(&t->calls, "ListUnitsByPatterns failed deactivating");
        assert_strv(&t->told, "");

        assert_int_equal(strv_extend(&t->rows, "systemd-nspawn@x.service failed"), 0);
        assert_int_equal(strv_extend(&t->rows, "systemd-nspawn@y.service active"), 0);
        ask_list(t, UNIT_LIST_ALL);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is made of a line of the journal, and the thread that looks for it. That it finds nspawn's
 * lines is shown on real hosts (tests/host/test-heal.sh).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "agent/failure_cause.h"
#include "agent/failure_journal.h"

static void expect_line(const char *data, size_t size, const char *expected) {
        _cleanup_free_ char *line = failure_line_clean(data, size);

        if (!streq_ptr(line, expected))
                fail_msg("'%s' instead of '%s'", line ? line : "(null)",
                         expected ? expected : "(null)");
}
#define EXPECT_LINE(data, expected) expect_line("" data, sizeof(data) - 1, expected)

static void test_lines(void **state) {
        EXPECT_LINE("Failed to do it: No such device", "Failed to do it: No such device");
        EXPECT_LINE("  Failed.\r\n", "Failed.");
        EXPECT_LINE("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");

        /* Not from a container's console into a terminal. */
        EXPECT_LINE("a\033[31mb\x7f", "a?[31mb?");
        EXPECT_LINE("a\nb", "a?b");
        EXPECT_LINE("not utf8: \xff\xfe", "not utf8: ??");

        EXPECT_LINE("", NULL);
        EXPECT_LINE(" \t\r\n", NULL);
        EXPECT_LINE("Child died too early.", NULL);
        EXPECT_LINE("Parent died too early", NULL);
}

static void test_long_line(void **state) {
        _cleanup_free_ char *data = malloc(FAILURE_LINE_MAX + 2), *line = NULL;

        assert_non_null(data);
        memset(data, 'x', FAILURE_LINE_MAX - 1);
        memcpy(data + FAILURE_LINE_MAX - 1, "\xe2\x82\xac", 3);
        line = failure_line_clean(data, FAILURE_LINE_MAX + 2);
        assert_non_null(line);
        assert_int_equal(strlen(line), FAILURE_LINE_MAX - 1);
}

static unsigned n_answered;

static void on_line(uint64_t cookie, const char *line, void *userdata) {
        assert_in_range(cookie, 1, 3);
        assert_null(line);
        n_answered++;
        if (n_answered == 3)
                assert_true(sd_event_exit(userdata, 0) >= 0);
}

static int on_overdue(sd_event_source *source, uint64_t usec, void *userdata) {
        fail_msg("no answer");
        return 0;
}

static FailureQuestion nobody(uint64_t cookie) {
        FailureQuestion question = { .cookie = cookie, .pid = UINT32_MAX };

        assert_true(sd_id128_randomize(&question.invocation) >= 0);
        return question;
}

/* However many ask at once, all are told in time that there is nothing. */
static void test_no_line(void **state) {
        FailureCause *f;
        sd_event *event;

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(failure_cause_new(event, on_line, event, &f), 0);
        for (uint64_t cookie = 1; cookie <= 3; cookie++) {
                const FailureQuestion question = nobody(cookie);

                assert_int_equal(failure_cause_ask(f, &question), 0);
        }
        assert_true(sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 10000000, 0,
                                               on_overdue, NULL) >= 0);
        assert_true(sd_event_loop(event) >= 0);
        assert_int_equal(n_answered, 3);

        failure_cause_free(f);
        sd_event_unref(event);
}

static void test_end_while_asking(void **state) {
        const FailureQuestion question = nobody(1);
        FailureCause *f;
        sd_event *event;

        assert_true(sd_event_new(&event) >= 0);
        assert_int_equal(failure_cause_new(event, on_line, event, &f), 0);
        assert_int_equal(failure_cause_ask(f, &question), 0);
        failure_cause_free(f);

        assert_int_equal(failure_cause_new(event, on_line, event, &f), 0);
        failure_cause_free(f);
        sd_event_unref(event);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_long_line),
                cmocka_unit_test(test_no_line),
                cmocka_unit_test(test_end_while_asking),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

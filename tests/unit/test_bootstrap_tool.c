/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Programs that are run for real.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "agent/bootstrap/tool.h"
#include "temp_root.h"

typedef struct Seen {
        char **lines;
        bool cancel_after_first;
        bool canceled;
} Seen;

static void on_line(void *userdata, const char *line) {
        Seen *s = userdata;

        assert_true(strv_extend(&s->lines, line) >= 0);
        s->canceled = s->cancel_after_first;
}

static bool on_canceled(void *userdata) {
        const Seen *s = userdata;

        return s->canceled;
}

static int run_shell(const char *script, Seen *s, Error **err) {
        const char *const arguments[] = { "sh", "-c", script, NULL };
        const JobReport report = { .line = on_line, .canceled = on_canceled, .userdata = s };

        return tool_run(&(Tool){ .arguments = (char *const *) arguments,
                                 .report = &report,
                                 .home = "/home/of/tool" },
                        err);
}

static void test_output(void **state) {
        Seen s = { 0 };
        _cleanup_error_ Error *err = NULL;
        _cleanup_free_ char *all = NULL;

        assert_int_equal(run_shell("printf 'one\\ntwo\\rthree\\n\\n\\033[31mred\\033[0m \\a!\\n"
                                   "\\377\\nlast'; echo err >&2; pwd; umask",
                                   &s, &err),
                         0);
        all = strv_join(s.lines, "|");
        assert_string_equal(all, "one|two|three|red  !|?|lasterr|/|0022");
        strv_free(s.lines);
}

static void test_environment(void **state) {
        Seen s = { 0 };
        _cleanup_free_ char *all = NULL;

        assert_int_equal(setenv("SECRET_OF_THE_AGENT", "x", 1), 0);
        assert_int_equal(setenv("http_proxy", "http://proxy/", 1), 0);
        /* env's own output is sorted by nobody. */
        assert_int_equal(
                run_shell("env | LC_ALL=C sort | grep -vE '^(_|PWD|OLDPWD|SHLVL)='; cat", &s, NULL),
                0);
        assert_int_equal(unsetenv("http_proxy"), 0);
        while (s.lines && strv_length(s.lines) > 6) /* proxies of who runs the test */
                strv_remove(s.lines, s.lines[strv_length(s.lines) - 1]);
        all = strv_join(s.lines, "|");
        assert_non_null(strstr(all, "HOME=/home/of/tool|LANG=C.UTF-8|LC_ALL=C.UTF-8|"));
        assert_null(strstr(all, "SECRET"));
        strv_free(s.lines);
}

static void test_failure(void **state) {
        Seen s = { 0 };
        _cleanup_error_ Error *err = NULL;

        assert_int_equal(run_shell("for i in $(seq 30); do echo line $i; done; "
                                   "echo 'E: Unable to locate package vmi'; exit 3",
                                   &s, &err),
                         -ENOENT);
        assert_non_null(strstr(err->text, "sh failed with exit status 3. Its last lines:\n"
                                          "  line 12\n"));
        assert_null(strstr(err->text, "line 11\n"));
        assert_non_null(strstr(err->text, "E: Unable to locate package vmi\nThere is no such "
                                          "package in these repositories"));
        strv_free(s.lines);
}

static void test_signal(void **state) {
        Seen s = { 0 };
        _cleanup_error_ Error *err = NULL;

        assert_int_equal(run_shell("kill -SEGV $$", &s, &err), -EIO);
        assert_string_equal(err->text, "sh was killed by signal 11");
        strv_free(s.lines);
}

static void test_missing(void **state) {
        const char *const arguments[] = { "ctvirt-no-such-program", NULL };
        _cleanup_error_ Error *err = NULL;

        assert_int_equal(tool_run(&(Tool){ .arguments = (char *const *) arguments,
                                           .install = "the-package" },
                                  &err),
                         -ENOENT);
        assert_string_equal(err->text, "ctvirt-no-such-program is not installed on this host: "
                                       "install the-package");
        assert_false(tool_exists("ctvirt-no-such-program"));
        assert_true(tool_exists("sh"));
}

/* The grandchild is in the group, and does not end by itself. */
static void test_cancel(void **state) {
        Seen s = { .cancel_after_first = true };
        _cleanup_error_ Error *err = NULL;
        pid_t grandchild;

        assert_int_equal(run_shell("sleep 1000 & echo $!; wait", &s, &err), -ECANCELED);
        assert_string_equal(err->text, "canceled while sh was running");
        grandchild = (pid_t) strtol(s.lines[0], NULL, 10);
        assert_true(grandchild > 1);
        /* Killed; whoever reaps orphans may still have to. */
        for (;;) {
                _cleanup_free_ char *path = text_format("/proc/%d/cmdline", (int) grandchild);
                _cleanup_free_ char *cmdline = NULL;

                if (read_file_at(AT_FDCWD, path, 4096, true, &cmdline, NULL) < 0 ||
                    !streq(cmdline, "sleep"))
                        break;
                (void) nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        }
        strv_free(s.lines);
}

/* It ends, what it left behind holds the pipe: the run ends as well, and the other is killed. */
static void test_left_behind(void **state) {
        Seen s = { 0 };

        assert_int_equal(run_shell("sleep 1000 & echo done", &s, NULL), 0);
        assert_string_equal(s.lines[0], "done");
        strv_free(s.lines);
}

static void test_capture(void **state) {
        const char *const arguments[] = { "sh", "-c", "echo out; echo err >&2; echo more", NULL };
        Seen s = { 0 };
        const JobReport report = { .line = on_line, .userdata = &s };
        const Tool tool = { .arguments = (char *const *) arguments, .report = &report };
        _cleanup_free_ char *text = NULL;
        _cleanup_error_ Error *err = NULL;

        assert_int_equal(tool_capture(&tool, 100, &text, &err), 0);
        assert_string_equal(text, "out\nmore\n");
        assert_int_equal(strv_length(s.lines), 1);
        assert_string_equal(s.lines[0], "err");
        strv_free(s.lines);
        s.lines = NULL;
        assert_int_equal(tool_capture(&tool, 3, &text, &err), -EFBIG);
        strv_free(s.lines);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_output),      cmocka_unit_test(test_environment),
                cmocka_unit_test(test_failure),     cmocka_unit_test(test_signal),
                cmocka_unit_test(test_missing),     cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_left_behind), cmocka_unit_test(test_capture),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

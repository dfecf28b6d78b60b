/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"

static void test_set(void **state) {
        _cleanup_error_ Error *err = NULL;

        assert_int_equal(error_set(&err, ENOENT, "no container '%s'", "web"), -ENOENT);
        assert_non_null(err);
        assert_int_equal(err->code, ENOENT);
        assert_string_equal(err->text, "no container 'web'");
        assert_null(err->file);
        assert_int_equal(err->line, 0);
}

static void test_nobody_listens(void **state) {
        assert_int_equal(error_set(NULL, EINVAL, "x"), -EINVAL);
        assert_int_equal(error_prefix(NULL, "x"), -EIO);
        assert_null(error_free(NULL));
}

static void test_first_cause_is_kept(void **state) {
        _cleanup_error_ Error *err = NULL;

        (void) error_set(&err, ENOENT, "first");
        assert_int_equal(error_set(&err, EINVAL, "second"), -EINVAL);
        assert_string_equal(err->text, "first");
        assert_int_equal(err->code, ENOENT);
}

static void test_prefix(void **state) {
        _cleanup_error_ Error *err = NULL;

        (void) error_set_at(&err, EINVAL, "web.xml", 7, "bad %s", "mac");
        assert_int_equal(error_prefix(&err, "cannot define %d", 1), -EINVAL);
        assert_string_equal(err->text, "cannot define 1: bad mac");
        assert_int_equal(err->line, 7);
}

static void test_format(void **state) {
        static const struct {
                const char *file;
                unsigned line;
                const char *wanted;
        } rows[] = {
                { NULL, 0, "text" },
                { NULL, 9, "text" },
                { "web.xml", 0, "web.xml: text" },
                { "web.xml", 9, "web.xml:9: text" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_error_ Error *err = NULL;
                _cleanup_free_ char *text = NULL;

                (void) error_set_at(&err, EINVAL, rows[i].file, rows[i].line, "text");
                text = error_format(err);
                assert_string_equal(text, rows[i].wanted);
        }
}

static void test_format_without_text(void **state) {
        _cleanup_free_ char *text = error_format(&(Error){ .code = ENOENT });

        assert_string_equal(text, strerror(ENOENT));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_set),
                cmocka_unit_test(test_nobody_listens),
                cmocka_unit_test(test_first_cause_is_kept),
                cmocka_unit_test(test_prefix),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_format_without_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strv.h"

static void test_null_is_empty(void **state) {
        _cleanup_free_ char *joined = strv_join(NULL, ",");
        char **copy = NULL;

        assert_int_equal(strv_length(NULL), 0);
        assert_false(strv_contains(NULL, "a"));
        assert_false(strv_remove(NULL, "a"));
        assert_true(strv_equal(NULL, NULL));
        assert_true(strv_equal(NULL, (char *const *) (const char *const[]){ NULL }));
        assert_int_equal(strv_copy(NULL, &copy), 0);
        assert_null(copy);
        assert_string_equal(joined, "");
        strv_sort(NULL);
        assert_null(strv_free(NULL));
        STRV_FOREACH(s, NULL)
                fail();
}

static void test_append(void **state) {
        _cleanup_strv_ char **v = NULL;

        assert_int_equal(strv_extend(&v, "b"), 0);
        assert_int_equal(strv_extendf(&v, "%s%d", "a", 1), 0);
        assert_int_equal(strv_push(&v, strdup("")), 0);
        assert_int_equal(strv_push(&v, NULL), -ENOMEM);
        assert_int_equal(strv_length(v), 3);
        assert_true(strv_equal(v, (char *const *) (const char *const[]){ "b", "a1", "", NULL }));
        assert_true(strv_contains(v, "a1"));
        assert_false(strv_contains(v, "a"));
}

static void test_remove_takes_the_first(void **state) {
        _cleanup_strv_ char **v = NULL;

        for (const char *s = "abab"; *s; s++)
                assert_int_equal(strv_extendf(&v, "%c", *s), 0);
        assert_true(strv_remove(v, "b"));
        assert_true(strv_equal(v, (char *const *) (const char *const[]){ "a", "a", "b", NULL }));
        assert_true(strv_remove(v, "b"));
        assert_false(strv_remove(v, "b"));
        assert_true(strv_remove(v, "a"));
        assert_true(strv_remove(v, "a"));
        assert_int_equal(strv_length(v), 0);
}

static void test_sort_copy_join(void **state) {
        _cleanup_strv_ char **v = NULL, **copy = NULL;
        _cleanup_free_ char *joined = NULL;

        for (const char *s = "cab"; *s; s++)
                assert_int_equal(strv_extendf(&v, "%c", *s), 0);
        strv_sort(v);
        assert_int_equal(strv_copy(v, &copy), 0);
        assert_true(strv_equal(v, copy));
        assert_ptr_not_equal(v[0], copy[0]);
        joined = strv_join(copy, ", ");
        assert_string_equal(joined, "a, b, c");
        assert_false(strv_equal(v, (char *const *) (const char *const[]){ "a", "b", NULL }));
        assert_false(strv_equal(v, (char *const *) (const char *const[]){ "a", "b", "d", NULL }));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_null_is_empty),
                cmocka_unit_test(test_append),
                cmocka_unit_test(test_remove_takes_the_first),
                cmocka_unit_test(test_sort_copy_join),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

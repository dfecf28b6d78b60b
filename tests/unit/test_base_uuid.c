/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/uuid.h"

#define CANONICAL "c7a5fdbd-cdaf-9455-926a-d65c16db1809"

static void test_good(void **state) {
        static const char *const forms[] = {
                CANONICAL,
                "C7A5FDBD-CDAF-9455-926A-D65C16DB1809",
                "c7a5fdbdcdaf9455926ad65c16db1809",
                " \nc7a5fdbd-cdaf-9455-926a-d65c16db1809\t ",
                "c-7a5fdbdcdaf9455926ad65c16db180--9",
        };

        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                char text[UUID_STRING_MAX];
                Uuid u;

                assert_int_equal(uuid_from_string(forms[i], &u), 0);
                assert_string_equal(uuid_to_string(&u, text), CANONICAL);
        }
}

static void test_bad(void **state) {
        static const char *const forms[] = {
                "",
                " ",
                "-" CANONICAL,
                CANONICAL "-",
                CANONICAL "0",
                CANONICAL " x",
                "c7a5fdbd-cdaf-9455-926a-d65c16db180",
                "g7a5fdbd-cdaf-9455-926a-d65c16db1809",
                "c7a5fdbd cdaf-9455-926a-d65c16db1809",
                "{" CANONICAL "}",
        };

        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                Uuid u = { { 1 } };

                assert_int_equal(uuid_from_string(forms[i], &u), -EINVAL);
                assert_true(uuid_equal(&u, &(Uuid){ { 1 } }));
        }
}

static void test_random(void **state) {
        Uuid a = uuid_random(), b = uuid_random();

        assert_false(uuid_equal(&a, &b));
        assert_false(uuid_is_null(&a));
        assert_int_equal(a.bytes[6] >> 4, 4);
        assert_int_equal(a.bytes[8] >> 6, 2);
        assert_true(uuid_is_null(&(Uuid){ { 0 } }));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_random),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

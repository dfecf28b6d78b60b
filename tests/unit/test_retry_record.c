/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/retry_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/retry.h"
#include "temp_root.h"
#include "units/bridge_marker.h"

#define ID "0123456789abcdef0123456789abcdef"

static void test_record(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_close_ int run_fd = run_dir_open_at(root);
        RetryRecord record = { .tried = 2 }, read;

        assert_true(run_fd >= 0);
        assert_int_equal(sd_id128_from_string(ID, &record.invocation), 0);
        assert_int_equal(retry_record_read(run_fd, "web", &read), -ENOENT);
        assert_int_equal(retry_record_remove(run_fd, "web"), 0);

        assert_int_equal(retry_record_write(run_fd, "web", &record), 0);
        assert_int_equal(retry_record_read(run_fd, "web", &read), 0);
        assert_int_equal(read.tried, 2);
        assert_true(read.usec > 0);
        assert_true(sd_id128_equal(read.invocation, record.invocation));
        assert_int_equal(retry_record_remove(run_fd, "web"), 1);
        assert_int_equal(retry_record_read(run_fd, "web", &read), -ENOENT);

        assert_int_equal(retry_record_write(run_fd, "../web", &record), -EINVAL);
}

/* Nothing is tried again on the word of what is no record. */
static void test_garbage(void **state) {
        static const char *const texts[] = {
                "",
                "TRIED=0\n",
                "INVOCATION=x\nTRIED=0\n",
                "INVOCATION=" ID "\nTRIED=-1\n",
                "INVOCATION=" ID "\nTRIED=4\n",
        };
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_close_ int run_fd = run_dir_open_at(root);
        RetryRecord read;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                temp_root_write(root, "/run/ctvirt/retries/web", texts[i]);
                assert_int_equal(retry_record_read(run_fd, "web", &read), -ENOENT);
        }
        temp_root_write(root, "/run/ctvirt/retries/web", "INVOCATION=" ID "\nLATER=x\n");
        assert_int_equal(retry_record_read(run_fd, "web", &read), 0);
        assert_int_equal(read.tried, RETRIES_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_record),
                cmocka_unit_test(test_garbage),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

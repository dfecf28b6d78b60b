/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/network_files.h"
#include "temp_root.h"

static void add(NetworkTable *t, const char *name, bool active) {
        Network *n = network_table_add(t, name);

        assert_non_null(n);
        n->active = active;
}

static void test_differ(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        NetworkTable networks = { 0 };

        assert_false(network_files_differ(root, &networks));
        add(&networks, "default", false);
        assert_false(network_files_differ(root, &networks));

        /* Started, and nobody has said so. */
        temp_root_write(root, "/default.xml", "<networkstatus/>");
        assert_true(network_files_differ(root, &networks));
        network_table_by_name(&networks, "default")->active = true;
        assert_false(network_files_differ(root, &networks));

        /* What else stands there is no network. */
        temp_root_write(root, "/default.pid", "1");
        temp_root_write(root, "/autostarted", "");
        temp_root_write(root, "/driver.pid", "1");
        assert_false(network_files_differ(root, &networks));

        /* One that we have not heard of, and one that has gone. */
        temp_root_write(root, "/br lan.xml", "");
        assert_true(network_files_differ(root, &networks));
        add(&networks, "br lan", true);
        assert_false(network_files_differ(root, &networks));
        add(&networks, "gone", true);
        assert_true(network_files_differ(root, &networks));
        network_table_done(&networks);
}

static void test_no_folder(void **state) {
        NetworkTable networks = { 0 };

        assert_false(network_files_differ("/nonexistent", &networks));
        network_table_done(&networks);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_differ),
                cmocka_unit_test(test_no_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

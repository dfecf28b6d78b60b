/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a bridge's target wants: written, and read again. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/strv.h"
#include "temp_root.h"
#include "units/wanted_units.h"

#define VIRBR0 "/ctvirt-autostart@virbr0.target.d/50-ctvirt-wants.conf"

static void write_all(const char *root, WantedUnits *w) {
        _cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(wanted_units_write(w, fd), 0);
}

static void assert_units(const char *root, const char *bridge, const char *expected) {
        _cleanup_strv_ char **units = NULL;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(wanted_units_read(AT_FDCWD, root, bridge, &units), 0);
        text = strv_join(units, " ");
        assert_string_equal(text, expected);
        assert_int_equal(wanted_units_exist(AT_FDCWD, root, bridge), units != NULL);
}

static void test_two_bridges(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_(wanted_units_freep) WantedUnits *w = NULL;

        assert_int_equal(wanted_units_add(&w, "virbr0", "systemd-nspawn@b.service"), 0);
        assert_int_equal(wanted_units_add(&w, "b@r", "systemd-nspawn@b.service"), 0);
        assert_int_equal(wanted_units_add(&w, "virbr0", "systemd-nspawn@a.service"), 0);
        write_all(root, w);
        assert_units(root, "virbr0", "systemd-nspawn@a.service systemd-nspawn@b.service");
        assert_units(root, "b@r", "systemd-nspawn@b.service");
        assert_units(root, "virbr1", "");
}

/* The folder of a reload that is just under way, and what others may have put there. */
static void test_any_file(void **state) {
        _cleanup_root_ char *root = temp_root_new();

        write_all(root, NULL);
        assert_units(root, "virbr0", "");
        temp_root_write(root, VIRBR0,
                        "Wants=before.service\n[Unit]\nAfter=x.service\n# Wants=c.service\n"
                        "Wants=a.service\n[Install]\nWants=b.service\n[Unit]\nWants=half");
        assert_units(root, "virbr0", "a.service half");
}

static void test_unreadable(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_strv_ char **units = NULL;

        temp_root_write(root, VIRBR0 "/folder", "");
        assert_int_equal(wanted_units_read(AT_FDCWD, root, "virbr0", &units), -EINVAL);
        assert_null(units);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_two_bridges),
                cmocka_unit_test(test_any_file),
                cmocka_unit_test(test_unreadable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

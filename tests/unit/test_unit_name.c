/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "units/unit_name.h"

static void test_container(void **state) {
        static const struct {
                const char *unit;
                const char *container; /* NULL: none */
        } rows[] = {
                { "systemd-nspawn@web.service", "web" },
                { "systemd-nspawn@a-b.c_d.service", "a-b.c_d" },
                { "systemd-nspawn@x.service.service", "x.service" },
                { "systemd-nspawn@.service", NULL },
                { "systemd-nspawn@web.target", NULL },
                { "systemd-nspawn@web", NULL },
                { "systemd-nspawn@a\\x2db.service", NULL },
                { "systemd-nspawn@..service", NULL },
                { "systemd-nspawn@a@b.service", NULL },
                { "systemd-nspawn.service", NULL },
                { "machine@web.service", NULL },
                { "", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *container = NULL, *unit = NULL;
                int r = container_from_unit(rows[i].unit, &container);

                if (!rows[i].container) {
                        assert_int_equal(r, -EINVAL);
                        assert_null(container);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_string_equal(container, rows[i].container);
                unit = container_unit_name(container);
                assert_string_equal(unit, rows[i].unit);
        }
}

static void test_bridge(void **state) {
        static const struct {
                const char *bridge;
                const char *target;
        } rows[] = {
                { "virbr0", "ctvirt-bridge@virbr0.target" },
                { "br-lan", "ctvirt-bridge@br-lan.target" },
                { "br.7_x", "ctvirt-bridge@br.7_x.target" },
                { "a\\b", "ctvirt-bridge@a\\x5cb.target" },
                { "a@b", "ctvirt-bridge@a\\x40b.target" },
                { "b+\"#", "ctvirt-bridge@b\\x2b\\x22\\x23.target" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *s = bridge_target_name(BRIDGE_TARGET_READY, rows[i].bridge);

                assert_string_equal(s, rows[i].target);
        }
}

static void test_autostart(void **state) {
        _cleanup_free_ char *s = bridge_target_name(BRIDGE_TARGET_AUTOSTART, "virbr0");

        assert_string_equal(s, "ctvirt-autostart@virbr0.target");
}

static void test_network(void **state) {
        static const struct {
                const char *network;
                const char *target;
        } rows[] = {
                { "default", "ctvirt-network@default.target" },
                { "my-net_1.x:y", "ctvirt-network@my-net_1.x:y.target" },
                { "a b%i", "ctvirt-network@a\\x20b\\x25i.target" },
                { "Büro", "ctvirt-network@B\\xc3\\xbcro.target" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *s = network_target_name(rows[i].network);

                assert_string_equal(s, rows[i].target);
        }
}

static void test_export_mount(void **state) {
        _cleanup_free_ char *plain = container_export_mount_name("web");
        _cleanup_free_ char *dashed = container_export_mount_name("a-b.c_d");

        assert_string_equal(plain, "run-systemd-nspawn-unix\\x2dexport-web.mount");
        assert_string_equal(dashed, "run-systemd-nspawn-unix\\x2dexport-a\\x2db.c_d.mount");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_container),    cmocka_unit_test(test_bridge),
                cmocka_unit_test(test_autostart),    cmocka_unit_test(test_network),
                cmocka_unit_test(test_export_mount),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

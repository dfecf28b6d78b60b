/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "temp_root.h"
#include "units/nspawn_link.h"
#include "xml/container_def.h"

/* What a real systemd-nspawn gave on a host with this id. */
#define MACHINE_ID "3d1219c7c4c5404aaa1f6d2a48adfda4"

static void load(MachineId *id) {
        _cleanup_root_ char *root = temp_root_new();

        temp_root_write(root, "/etc/machine-id", MACHINE_ID "\n");
        assert_int_equal(machine_id_load(root, id), 0);
}

static void test_machine_id(void **state) {
        static const char *const none[] = { "", "\n", "uninitialized\n", "3d1219c7",
                                            "00000000000000000000000000000000\n" };
        _cleanup_root_ char *root = temp_root_new();
        MachineId id;

        assert_int_equal(machine_id_load(root, &id), -ENOMEDIUM);
        for (size_t i = 0; i < ELEMENTSOF(none); i++) {
                temp_root_write(root, "/etc/machine-id", none[i]);
                assert_int_equal(machine_id_load(root, &id), -ENOMEDIUM);
        }
        load(&id);
        assert_int_equal(id.bytes[0], 0x3d);
        assert_int_equal(id.bytes[15], 0xa4);
}

static void test_mac(void **state) {
        char buffer[MAC_STRING_MAX];
        uint8_t mac[ETH_ALEN], other[ETH_ALEN];
        MachineId id;

        load(&id);
        nspawn_container_mac(&id, "mytest", mac);
        assert_string_equal(mac_to_string(mac, buffer), "56:14:11:df:2d:59");
        nspawn_extra_container_mac(&id, "mytest", 0, mac);
        assert_string_equal(mac_to_string(mac, buffer), "56:b3:68:99:79:59");

        nspawn_extra_container_mac(&id, "mytest", 1, other);
        assert_memory_not_equal(mac, other, ETH_ALEN);
        assert_int_equal(other[0] & 3, 2);
}

static void test_names(void **state) {
        static const struct {
                const char *container;
                unsigned index;
                const char *link;
        } rows[] = {
                { "mytest", 0, "vb-mytest" },
                { "123456789012", 0, "vb-123456789012" },
                { "a-very-long-container-name", 0, "vb-a-very-l7cg-" },
                { "mytest", 1, "vb1-mytest" },
                { "12345678901", 1, "vb1-12345678901" },
                { "12345678901", 10, NULL },
                { "a-very-long-container-name", 1, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *s = NULL;

                if (rows[i].index == 0)
                        s = nspawn_bridge_link_name(rows[i].container);
                else
                        s = nspawn_extra_link_name(rows[i].container, rows[i].index);
                if (rows[i].link)
                        assert_string_equal(s, rows[i].link);
                else
                        assert_int_equal(strlen(s), 15);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_machine_id),
                cmocka_unit_test(test_mac),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

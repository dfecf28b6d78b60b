/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/bootstrap/bootstrap.h"
#include "agent/config.h"
#include "temp_root.h"
#include "units/conf_file.h"

typedef struct Row {
        const char *what, *text;
        const char *libvirt_uri, *vm_uri;
        bool reattach_vms;
        uint64_t base_max_age_usec; /* 0: the default */
} Row;

#define NETWORK CONFIG_LIBVIRT_URI
#define QEMU CONFIG_VM_URI

/* clang-format off */
static const Row rows[] = {
        { "no file", NULL, NETWORK, QEMU, true },
        { "an empty file", "", NETWORK, QEMU, true },
        { "comments", "[Agent]\n#VMURI=a:///b\n;ReattachVMs=no\n", NETWORK, QEMU, true },
        { "all settings", "[Agent]\nLibvirtURI=test:///default\nVMURI = ch:///system\nReattachVMs=no\n",
          "test:///default", "ch:///system", false },
        { "the last one counts", "[Agent]\nReattachVMs=no\n[Agent]\nReattachVMs=on\n", NETWORK, QEMU, true },
        { "empty values", "[Agent]\nVMURI=a:///b\nReattachVMs=no\nVMURI=\nReattachVMs=\n", NETWORK, QEMU, true },
        { "a mistake costs one setting", "[Agent]\nReattachVMs=perhaps\nVMURI=ch:///system\n",
          NETWORK, "ch:///system", true },
        { "no URI", "[Agent]\nVMURI=qemu\nLibvirtURI=\"a:///b\"\n", NETWORK, QEMU, true },
        { "other sections", "ReattachVMs=no\n[Service]\nReattachVMs=no\n", NETWORK, QEMU, true },
        { "unknown settings and lines", "[Agent]\nColour=red\nnonsense\nReattachVMs=no\n", NETWORK, QEMU, false },
        { "a time", "[Agent]\nBaseMaxAgeSec=1d 12h\n", NETWORK, QEMU, true, UINT64_C(129600000000) },
        { "a time without an end", "[Agent]\nBaseMaxAgeSec=infinity\n", NETWORK, QEMU, true, UINT64_MAX },
        { "no time", "[Agent]\nBaseMaxAgeSec=1 fortnight\nReattachVMs=no\n", NETWORK, QEMU, false },
        { "an empty time", "[Agent]\nBaseMaxAgeSec=1d\nBaseMaxAgeSec=\n", NETWORK, QEMU, true },
        { "a broken header", "[Agent]\nReattachVMs=no\n[Agent\nVMURI=a:///b\n", NETWORK, QEMU, false },
        { "not UTF-8", "[Agent]\nReattachVMs=no\nVMURI=a:///\xff\n", NETWORK, QEMU, false },
};
/* clang-format on */

static void test_rows(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_root_ char *root = temp_root_new();
                _cleanup_config_ Config c = { 0 };

                const uint64_t age = rows[i].base_max_age_usec ? rows[i].base_max_age_usec
                                                               : BOOTSTRAP_BASE_MAX_AGE_USEC;

                if (rows[i].text)
                        temp_root_write(root, CONFIG_FILE, rows[i].text);
                assert_int_equal(config_load(root, &c), 0);
                if (!streq(c.libvirt_uri, rows[i].libvirt_uri) ||
                    !streq(c.vm_uri, rows[i].vm_uri) || c.reattach_vms != rows[i].reattach_vms ||
                    c.base_max_age_usec != age)
                        fail_msg("%s: %s %s %d", rows[i].what, c.libvirt_uri, c.vm_uri,
                                 c.reattach_vms);
        }
}

/* What the package installs says nothing but the defaults. */
static void test_shipped(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *text = NULL;
        _cleanup_config_ Config c = { 0 };

        assert_int_equal(read_file_at(AT_FDCWD, CTVIRT_SOURCE_DIR "/contrib/ctvirtd.conf", 65536,
                                      false, &text, NULL),
                         0);
        for (char *p = text; (p = strstr(p, "\n#"));)
                if (p[2] != ' ')
                        memmove(p + 1, p + 2, strlen(p + 2) + 1);
                else
                        p += 2;
        assert_non_null(strstr(text, "\nReattachVMs=yes\n"));
        temp_root_write(root, CONFIG_FILE, text);
        assert_int_equal(config_load(root, &c), 0);
        assert_string_equal(c.libvirt_uri, NETWORK);
        assert_string_equal(c.vm_uri, QEMU);
        assert_true(c.reattach_vms);
        assert_true(c.base_max_age_usec == BOOTSTRAP_BASE_MAX_AGE_USEC);
}

static const struct {
        const char *text;
        uint64_t usec;
        int result;
} times[] = {
        { "0", 0, 0 },
        { "5", 5000000, 0 },
        { " 1.5 ", 1500000, 0 },
        { "2h 30min", UINT64_C(9000000000), 0 },
        { "2h30min", UINT64_C(9000000000), 0 },
        { "1.25d", UINT64_C(108000000000), 0 },
        { "1w", UINT64_C(604800000000), 0 },
        { "1M", UINT64_C(2629800000000), 0 },
        { "1y", UINT64_C(31557600000000), 0 },
        { "3ms 7us", 3007, 0 },
        { "0.5us", 0, 0 },
        { "infinity", UINT64_MAX, 0 },
        { " infinity ", UINT64_MAX, 0 },
        { "infinity 1s", 0, -EINVAL },
        { "", 0, -EINVAL },
        { "d", 0, -EINVAL },
        { "-1", 0, -EINVAL },
        { "1.", 0, -EINVAL },
        { "1.2.3", 0, -EINVAL },
        { "1 fortnight", 0, -EINVAL },
        { "1d x", 0, -EINVAL },
        { "99999999999999999999", 0, -ERANGE },
        { "18446744073709551615s", 0, -ERANGE },
        { "18446744073709551615us", 0, -ERANGE },
        { "18446744073709551615us 1us", 0, -ERANGE },
};

static void test_seconds(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(times); i++) {
                uint64_t usec = 0;

                print_message("'%s'\n", times[i].text);
                assert_int_equal(conf_parse_seconds(times[i].text, &usec), times[i].result);
                if (times[i].result == 0)
                        assert_true(usec == times[i].usec);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_shipped),
                cmocka_unit_test(test_seconds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/config.h"
#include "temp_root.h"

typedef struct Row {
        const char *what, *text;
        const char *libvirt_uri, *vm_uri;
        bool reattach_vms;
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
        { "a broken header", "[Agent]\nReattachVMs=no\n[Agent\nVMURI=a:///b\n", NETWORK, QEMU, false },
        { "not UTF-8", "[Agent]\nReattachVMs=no\nVMURI=a:///\xff\n", NETWORK, QEMU, false },
};
/* clang-format on */

static void test_rows(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_root_ char *root = temp_root_new();
                _cleanup_config_ Config c = { 0 };

                if (rows[i].text)
                        temp_root_write(root, CONFIG_FILE, rows[i].text);
                assert_int_equal(config_load(root, &c), 0);
                if (!streq(c.libvirt_uri, rows[i].libvirt_uri) ||
                    !streq(c.vm_uri, rows[i].vm_uri) || c.reattach_vms != rows[i].reattach_vms)
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
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_shipped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

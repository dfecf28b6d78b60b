/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hooks/hook_input.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/fileio.h"
#include "xml/network_def.h"

/* As libvirt 9.0 writes it, with a port to skip. */
#define HOOK_DATA                                                                                  \
        "<hookData>\n"                                                                             \
        "  <network connections='1'>\n"                                                            \
        "    <name>default</name>\n"                                                               \
        "    <uuid>6f0c6d5e-3f0e-4c0a-9d0c-5d1d8a1f7a11</uuid>\n"                                  \
        "    <forward mode='nat'><nat><port start='1024' end='65535'/></nat></forward>\n"          \
        "    <bridge name='virbr7' stp='on' delay='0'/>\n"                                         \
        "    <ip address='192.168.122.1' netmask='255.255.255.0'/>\n"                              \
        "  </network>\n"                                                                           \
        "</hookData>"

#define POOL_DATA                                                                                  \
        "<hookData><network><name>pool</name>"                                                     \
        "<forward mode='private'><interface dev='eth0'/></forward></network></hookData>"

static char root[] = "/tmp/ctvirt-test.XXXXXX";

static int stdin_with(const char *text, size_t size) {
        int fd = memfd_create("stdin", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, size), size);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

static int read_hook(const char *network, const char *op, const char *text, HookInput *ret,
                     Error **complaint) {
        char *argv[] = { (char *) "50-ctvirt", (char *) network, (char *) op,
                         (char *) "begin",     (char *) "-",     NULL };
        _cleanup_close_ int fd = stdin_with(text, strlen(text));

        return hook_input_read(5, argv, fd, root, ret, complaint);
}

static void test_op_names(void **state) {
        static const char *const names[] = { "started", "stopped" };
        static const char *const others[] = { "start", "updated", "port-created", "port-deleted",
                                              "" };

        for (int i = 0; i < (int) ELEMENTSOF(names); i++) {
                assert_string_equal(hook_op_to_string((HookOp) i), names[i]);
                assert_int_equal(hook_op_from_string(names[i]), i);
        }
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_int_equal(hook_op_from_string(others[i]), -EINVAL);
        assert_null(hook_op_to_string((HookOp) ELEMENTSOF(names)));
}

static void test_xml(void **state) {
        _cleanup_hook_input_ HookInput input = { 0 };
        _cleanup_error_ Error *complaint = NULL;
        char uuid[UUID_STRING_MAX];

        assert_int_equal(read_hook("default", "started", HOOK_DATA, &input, &complaint), 0);
        assert_null(complaint);
        assert_int_equal(input.op, HOOK_OP_STARTED);
        assert_string_equal(input.network, "default");
        assert_string_equal(input.bridge, "virbr7");
        assert_true(input.has_uuid);
        assert_string_equal(uuid_to_string(&input.uuid, uuid),
                            "6f0c6d5e-3f0e-4c0a-9d0c-5d1d8a1f7a11");
}

static void test_no_bridge(void **state) {
        _cleanup_hook_input_ HookInput input = { 0 };

        assert_int_equal(read_hook("pool", "stopped", POOL_DATA, &input, NULL), 0);
        assert_int_equal(input.op, HOOK_OP_STOPPED);
        assert_null(input.bridge);
        assert_false(input.has_uuid);
}

/* What cannot be learned from stdin stands in libvirt's own file. */
static void test_broken_xml(void **state) {
        static const char *const texts[] = {
                "",
                "<hookData>",
                "\xff\xfe",
                "<domain/>",
                "<hookData><network><name>lab</name><bridge name='../x'/></network></hookData>",
                "<!DOCTYPE x [<!ENTITY a 'b'>]><hookData/>",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_hook_input_ HookInput input = { 0 };
                _cleanup_error_ Error *complaint = NULL;

                assert_int_equal(read_hook("lab", "started", texts[i], &input, &complaint), 0);
                assert_string_equal(input.bridge, "virbr8");
                assert_non_null(complaint);
                assert_int_equal(read_hook("unknown", "started", texts[i], &input, NULL), -ENOENT);
        }
}

static void test_endless_input(void **state) {
        char *argv[] = { (char *) "50-ctvirt", (char *) "lab", (char *) "started", NULL };
        _cleanup_close_ int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        _cleanup_hook_input_ HookInput input = { 0 };
        _cleanup_error_ Error *complaint = NULL;

        assert_true(fd >= 0);
        assert_int_equal(hook_input_read(3, argv, fd, root, &input, &complaint), 0);
        assert_string_equal(input.bridge, "virbr8");
        assert_int_equal(complaint->code, EFBIG);
}

static void test_closed_input(void **state) {
        char *argv[] = { (char *) "50-ctvirt", (char *) "lab", (char *) "stopped", NULL };
        _cleanup_hook_input_ HookInput input = { 0 };

        assert_int_equal(hook_input_read(3, argv, -1, root, &input, NULL), 0);
        assert_string_equal(input.bridge, "virbr8");
}

static void test_bad_arguments(void **state) {
        static const struct {
                const char *network;
                const char *op;
        } rows[] = {
                { "default", "start" }, { "default", "port-created" }, { "default", "" },
                { "", "started" },      { "../lab", "started" },       { "a/b", "started" },
        };
        char *alone[] = { (char *) "50-ctvirt", (char *) "lab", NULL };
        _cleanup_hook_input_ HookInput input = { 0 };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(read_hook(rows[i].network, rows[i].op, HOOK_DATA, &input, NULL),
                                 -EINVAL);
        assert_int_equal(hook_input_read(2, alone, -1, root, &input, NULL), -EINVAL);
        assert_int_equal(hook_input_read(0, alone, -1, root, &input, NULL), -EINVAL);
}

static int set_up(void **state) {
        static const char network[] = "<network><name>lab</name><bridge name='virbr8'/></network>";
        char folder[96], path[128];

        if (!mkdtemp(root))
                return -1;
        (void) snprintf(folder, sizeof(folder), "%s/etc/libvirt/qemu/networks", root);
        (void) snprintf(path, sizeof(path), "%s/lab.xml", folder);
        if (make_directories(folder, 0755) < 0)
                return -1;
        return write_file_at(AT_FDCWD, path, network, strlen(network), 0600, 0) == 1 ? 0 : -1;
}

static int tear_down(void **state) {
        char command[64];

        (void) snprintf(command, sizeof(command), "rm -rf %s", root);
        return system(command); /* NOLINT(cert-env33-c): a name of our own */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_op_names),      cmocka_unit_test(test_xml),
                cmocka_unit_test(test_no_bridge),     cmocka_unit_test(test_broken_xml),
                cmocka_unit_test(test_closed_input),  cmocka_unit_test(test_endless_input),
                cmocka_unit_test(test_bad_arguments),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}

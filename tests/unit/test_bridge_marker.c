/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/bridge_marker.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/fileio.h"
#include "units/run_dir.h"

#define UUID_TEXT "6f3f5a1e-8e3f-4b7a-9a0e-0b1c2d3e4f50"

static char root[] = "/tmp/ctvirt-test.XXXXXX";
static int run_fd = -1;

static int set_up(void **state) {
        if (!mkdtemp(root))
                return -1;
        run_fd = run_dir_open_at(root);
        return run_fd < 0 ? -1 : 0;
}

static int tear_down(void **state) {
        char command[64];

        (void) close(run_fd);
        (void) snprintf(command, sizeof(command), "rm -rf %s", root);
        return system(command); /* NOLINT(cert-env33-c): a name of our own */
}

static void put(const char *path, const char *text, size_t size) {
        assert_int_equal(write_file_at(run_fd, path, text, size, 0644, 0), 1);
}

static void test_witness_names(void **state) {
        static const char *const names[] = { "hook", "libvirt", "kernel" };

        for (int i = 0; i < (int) ELEMENTSOF(names); i++) {
                assert_string_equal(witness_to_string((Witness) i), names[i]);
                assert_int_equal(witness_from_string(names[i]), i);
        }
        assert_null(witness_to_string((Witness) ELEMENTSOF(names)));
        assert_int_equal(witness_from_string("nobody"), -EINVAL);
}

static void test_folders(void **state) {
        static const struct {
                const char *name;
                mode_t mode;
        } folders[] = {
                { "bridges", 0755 }, { "handled", 0755 }, { "networks", 0755 }, { "lock", 0700 }
        };
        struct stat st;

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                assert_int_equal(fstatat(run_fd, folders[i].name, &st, AT_SYMLINK_NOFOLLOW), 0);
                assert_int_equal(st.st_mode, S_IFDIR | folders[i].mode);
        }
}

static void test_there_and_back(void **state) {
        _cleanup_marker_ BridgeMarker m = { 0 };
        BridgeMarker written = {
                .ifindex = 7,
                .witness = WITNESS_KERNEL,
                .network = (char *) "Büro = \"2\" # x",
                .has_uuid = true,
        };
        struct stat st;

        assert_int_equal(uuid_from_string(UUID_TEXT, &written.uuid), 0);
        assert_int_equal(bridge_marker_read(run_fd, "virbr0", &m), -ENOENT);
        assert_int_equal(bridge_marker_write(run_fd, "virbr0", &written), 0);
        assert_int_equal(bridge_marker_read(run_fd, "virbr0", &m), 0);
        assert_int_equal(m.ifindex, 7);
        assert_int_equal(m.witness, WITNESS_KERNEL);
        assert_string_equal(m.network, written.network);
        assert_true(m.has_uuid && uuid_equal(&m.uuid, &written.uuid));
        assert_true(m.realtime_usec > 1600000000000000 && m.monotonic_usec > 0);

        assert_int_equal(fstatat(run_fd, "bridges/virbr0", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0644);

        assert_int_equal(bridge_marker_remove(run_fd, "virbr0"), 1);
        assert_int_equal(bridge_marker_remove(run_fd, "virbr0"), 0);
}

static void test_handled(void **state) {
        char *const names[] = { (char *) "a b=c", (char *) "d", NULL };
        char *const bad[] = { (char *) "a/b", NULL };
        _cleanup_strv_ char **networks = NULL;
        unsigned ifindex = 99;

        assert_int_equal(bridge_handled_read(run_fd, "br0", &ifindex), 0);
        assert_int_equal(ifindex, 0);
        assert_int_equal(bridge_handled_write(run_fd, "br0", 12, NULL), 0);
        assert_int_equal(bridge_handled_read_networks(run_fd, "br0", &ifindex, &networks), 0);
        assert_int_equal(ifindex, 12);
        assert_null(networks);
        assert_int_equal(bridge_handled_write(run_fd, "br0", BRIDGE_ENDED, names), 0);
        assert_int_equal(bridge_handled_write(run_fd, "br0", 14, bad), -EINVAL);
        assert_int_equal(bridge_handled_read(run_fd, "br0", &ifindex), 0);
        assert_int_equal(ifindex, BRIDGE_ENDED);
        assert_int_equal(bridge_handled_read_networks(run_fd, "br0", &ifindex, &networks), 0);
        assert_int_equal(ifindex, BRIDGE_ENDED);
        assert_true(strv_equal(networks, names));
        assert_int_equal(bridge_handled_remove(run_fd, "br0"), 1);
        assert_int_equal(bridge_handled_read(run_fd, "br0", &ifindex), 0);
        assert_int_equal(ifindex, 0);
}

/* More networks than there is room for: what is written can be read. */
static void test_many_networks(void **state) {
        _cleanup_strv_ char **names = NULL, **networks = NULL;
        unsigned ifindex = 0;

        for (unsigned i = 0; i < 1000; i++)
                assert_int_equal(strv_extendf(&names, "network-%04u", i), 0);
        assert_int_equal(bridge_handled_write(run_fd, "br0", 12, names), 0);
        assert_int_equal(bridge_handled_read_networks(run_fd, "br0", &ifindex, &networks), 0);
        assert_int_equal(ifindex, 12);
        assert_true(strv_length(networks) > 100);
        assert_string_equal(networks[0], "network-0000");
        assert_int_equal(bridge_handled_remove(run_fd, "br0"), 1);
}

/* Whatever stands there, it counts as nothing, or as what it says. */
static void test_garbage(void **state) {
        static const struct {
                const char *text;
                size_t size; /* 0: that of the string */
                int r;
        } rows[] = {
                { "", 0, -EINVAL },
                { "\n\n", 0, -EINVAL },
                { "IFINDEX=", 0, -EINVAL },
                { "IFINDEX=0\n", 0, -EINVAL },
                { "IFINDEX=-1\n", 0, -EINVAL },
                { "IFINDEX=+1\n", 0, -EINVAL },
                { "IFINDEX= 1\n", 0, -EINVAL },
                { "IFINDEX=1x\n", 0, -EINVAL },
                { "IFINDEX=4294967297\n", 0, -EINVAL },
                { "IFINDEX=99999999999999999999999\n", 0, -EINVAL },
                { "IFINDEX\n", 0, -EINVAL },
                { "IFINDEX=3\nnonsense\n", 0, -EINVAL },
                { "IFINDEX=3\nWITNESS=moon\n", 0, -EINVAL },
                { "IFINDEX=3\nNETWORK=\n", 0, -EINVAL },
                { "IFINDEX=3\nNETWORK=../x\n", 0, -EINVAL },
                { "IFINDEX=3\nUUID=1\n", 0, -EINVAL },
                { "IFINDEX=3\nREALTIME_USEC=soon\n", 0, -EINVAL },
                { "IFINDEX=3\0", 10, -EINVAL },
                { "IFINDEX=3", 0, 0 },
                { "# a remark\n\nIFINDEX=3\nOF_A_LATER_VERSION=1\n", 0, 0 },
                { "NETWORK=a\nIFINDEX=9\nNETWORK=b\nIFINDEX=3\n", 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t size = rows[i].size ? rows[i].size : strlen(rows[i].text);
                _cleanup_marker_ BridgeMarker m = { 0 }, from_file = { 0 };

                assert_int_equal(bridge_marker_parse(rows[i].text, size, &m), rows[i].r);
                assert_int_equal(m.ifindex, rows[i].r < 0 ? 0 : 3);

                put("bridges/br0", rows[i].text, size);
                assert_int_equal(bridge_marker_read(run_fd, "br0", &from_file),
                                 rows[i].r < 0 ? -ENOENT : 0);
        }
        assert_int_equal(bridge_marker_remove(run_fd, "br0"), 1);
}

static void test_no_regular_file(void **state) {
        _cleanup_free_ char *big = calloc(1, BRIDGE_MARKER_MAX + 1);
        _cleanup_marker_ BridgeMarker m = { 0 };

        assert_non_null(big);
        memset(big, '#', BRIDGE_MARKER_MAX + 1);
        put("bridges/big", big, BRIDGE_MARKER_MAX + 1);
        assert_int_equal(bridge_marker_read(run_fd, "big", &m), -ENOENT);

        assert_int_equal(symlinkat("/proc/self/status", run_fd, "bridges/link"), 0);
        assert_int_equal(bridge_marker_read(run_fd, "link", &m), -ENOENT);
        assert_int_equal(mkfifoat(run_fd, "bridges/fifo", 0600), 0);
        assert_int_equal(bridge_marker_read(run_fd, "fifo", &m), -ENOENT);
        assert_int_equal(mkdirat(run_fd, "bridges/folder", 0700), 0);
        assert_int_equal(bridge_marker_read(run_fd, "folder", &m), -ENOENT);
        /* A write replaces the link, not what it leads to. */
        assert_int_equal(bridge_marker_write(run_fd, "link", &(BridgeMarker){ .ifindex = 5 }), 0);
        assert_int_equal(bridge_marker_read(run_fd, "link", &m), 0);
        assert_int_equal(m.ifindex, 5);
}

static void test_bad_arguments(void **state) {
        static const char *const names[] = { "", ".", "..", "a/b", "../x", "0123456789abcdef" };
        const BridgeMarker good = { .ifindex = 1 };
        _cleanup_marker_ BridgeMarker m = { 0 };
        unsigned ifindex;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                assert_int_equal(bridge_marker_read(run_fd, names[i], &m), -EINVAL);
                assert_int_equal(bridge_marker_write(run_fd, names[i], &good), -EINVAL);
                assert_int_equal(bridge_marker_remove(run_fd, names[i]), -EINVAL);
                assert_int_equal(bridge_handled_read(run_fd, names[i], &ifindex), -EINVAL);
        }
        assert_int_equal(bridge_marker_write(run_fd, "br0", &(BridgeMarker){ 0 }), -EINVAL);
        assert_int_equal(
                bridge_marker_write(run_fd, "br0",
                                    &(BridgeMarker){ .ifindex = 1, .network = (char *) "a\nb" }),
                -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_witness_names),  cmocka_unit_test(test_folders),
                cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_handled),
                cmocka_unit_test(test_garbage),        cmocka_unit_test(test_no_regular_file),
                cmocka_unit_test(test_bad_arguments),  cmocka_unit_test(test_many_networks),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}

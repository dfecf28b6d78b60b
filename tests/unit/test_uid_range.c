/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "temp_root.h"
#include "units/uid_range.h"

static void test_overlap(void **state) {
        static const struct {
                uint32_t base, count;
                bool overlap;
        } rows[] = {
                { 0x80000, 0x10000, false }, { 0x90000, 0x10000, true },
                { 0xa0000, 0x10000, false }, { 0x8ffff, 1, false },
                { 0x8ffff, 2, true },        { 0x9ffff, 1, true },
                { 0, UINT32_MAX, true },     { UINT32_MAX, 1, true },
        };
        _cleanup_uid_ranges_ UidRanges r = { 0 };

        assert_false(uid_ranges_overlap(&r, 0, UINT32_MAX));
        assert_int_equal(uid_ranges_add(&r, 0x90000, 0x10000), 0);
        assert_int_equal(uid_ranges_add(&r, UINT32_MAX - 1, 0x10000), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(uid_ranges_overlap(&r, rows[i].base, rows[i].count),
                                 rows[i].overlap);
}

static void test_pick(void **state) {
        _cleanup_uid_ranges_ UidRanges r = { 0 };
        uint32_t first, second;

        assert_int_equal(uid_ranges_pick(&r, "web", &first), 0);
        assert_true(first >= UID_RANGE_FIRST && first <= UID_RANGE_LAST);
        assert_int_equal(first % UID_RANGE_SIZE, 0);
        assert_int_equal(uid_ranges_pick(&r, "web", &second), 0);
        assert_int_equal(first, second);

        assert_int_equal(uid_ranges_add(&r, first + 17, 1), 0);
        assert_int_equal(uid_ranges_pick(&r, "web", &second), 0);
        assert_int_equal(second, first + UID_RANGE_SIZE);

        assert_int_equal(uid_ranges_add(&r, UID_RANGE_FIRST, UID_RANGE_LAST - UID_RANGE_FIRST), 0);
        assert_int_equal(uid_ranges_pick(&r, "web", &second), 0);
        assert_int_equal(second, UID_RANGE_LAST);
        assert_int_equal(uid_ranges_add(&r, UID_RANGE_LAST, UID_RANGE_SIZE), 0);
        assert_int_equal(uid_ranges_pick(&r, "web", &second), -ENOSPC);
}

/* The base that a real systemd-nspawn -U took for a machine of this name. */
static void test_hash(void **state) {
        _cleanup_uid_ranges_ UidRanges r = { 0 };
        uint32_t base;

        assert_int_equal(uid_ranges_pick(&r, "c1", &base), 0);
        assert_int_equal(base, 1331822592);
}

static void test_load(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *tree = text_format("%s/var/lib/machines/shifted", root);
        _cleanup_uid_ranges_ UidRanges all = { 0 }, but_web = { 0 };
        static const uint32_t used[] = {
                0x100000, 0x110000, 0x120000, 0x130000, 0x140000, 0x150000
        };

        temp_root_write(root, "/etc/systemd/nspawn/web.nspawn",
                        "[Exec]\nPrivateUsers=1048576:65536\n");
        temp_root_write(root, "/run/systemd/nspawn/db.nspawn",
                        "[Exec]\nPrivateUsers=1114112:65536\n");
        temp_root_write(root, "/etc/systemd/nspawn/broken.nspawn", "[Exec\n");
        temp_root_write(root, "/etc/subuid", "me:1179648:65536\n#x\nbroken\nme:x:1\nme:1:x\n");
        temp_root_write(root, "/etc/subgid", "me:1245184:65536");
        temp_root_write(
                root, "/etc/passwd",
                "root:x:0:0::/root:/bin/sh\nu:x:1310725:1000::/:/bin/sh\nx:x:99999999999:1:::\n");
        temp_root_write(root, "/etc/group", "root:x:0:\ng:x:1376257:\n");
        assert_int_equal(uid_ranges_load(root, NULL, &all), 0);
        assert_int_equal(uid_ranges_load(root, "web", &but_web), 0);

        for (size_t i = 0; i < ELEMENTSOF(used); i++) {
                assert_true(uid_ranges_overlap(&all, used[i], UID_RANGE_SIZE));
                assert_int_equal(uid_ranges_overlap(&but_web, used[i], UID_RANGE_SIZE), i > 0);
        }
        assert_false(uid_ranges_overlap(&all, 0x160000, UID_RANGE_SIZE));

        if (geteuid() != 0)
                return;
        temp_root_prepare(tree);
        assert_int_equal(mkdir(tree, 0755), 0);
        assert_int_equal(chown(tree, 0x170000, 0x170000), 0);
        uid_ranges_done(&all);
        assert_int_equal(uid_ranges_load(root, NULL, &all), 0);
        assert_true(uid_ranges_overlap(&all, 0x17ffff, 1));
        uid_ranges_done(&all);
        assert_int_equal(uid_ranges_load(root, "shifted", &all), 0);
        assert_false(uid_ranges_overlap(&all, 0x17ffff, 1));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_overlap),
                cmocka_unit_test(test_pick),
                cmocka_unit_test(test_hash),
                cmocka_unit_test(test_load),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

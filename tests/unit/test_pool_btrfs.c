/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What only btrfs has: subvolumes within subvolumes, read-only ones, limits.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "agent/pool/beneath.h"
#include "agent/pool/btrfs_count.h"
#include "agent/pool/btrfs_quota.h"
#include "agent/pool/btrfs_subvolume.h"
#include "agent/pool/snapshot.h"
#include "agent/pool/volume.h"
#include "pool_fixture.h"

#define MiB (UINT64_C(1) << 20)

/* So often, a millisecond later each time: nothing says when a count is at its end. */
#define WHILE_COUNTING 25

typedef struct Fixture {
        char *root;
        Pool *pool;
} Fixture;

static void fixture_done(Fixture *f) {
        pool_free(f->pool);
        free(f->root);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

/* As a system that has been booted: systemd-tmpfiles makes subvolumes where it can. */
static Fixture fixture_new(void) {
        Fixture f = { 0 };

        f.pool = test_pool_new(&f.root);
        run("cd %s && btrfs -q subvolume create web && mkdir -p web/var/lib web/etc && "
            "btrfs -q subvolume create web/var/lib/machines && "
            "btrfs -q subvolume create web/var/lib/portables && chown 7:8 web/var/lib/portables && "
            "chmod 1750 web/var/lib/portables && touch -d @1000000000 web/var/lib/portables && echo one >web/etc/content && "
            "btrfs -q subvolume create web/var/lib/machines/inner && "
            "echo two >web/var/lib/machines/inner/content && "
            "btrfs property set web/var/lib/machines/inner ro true && "
            "btrfs property set web/var/lib/machines ro true",
            f.pool->path);
        return f;
}

static void assert_tidy(const Fixture *f, const char *left) {
        assert_ok(pool_clean(f->pool, NULL, NULL, NULL, NULL, err));
        run("test \"$(ls %s | xargs)\" = '%s'", f->pool->path, left);
        run("test -z \"$(ls -A %s/.ctvirt/new %s/.ctvirt/trash | grep -v :)\"", f->pool->path,
            f->pool->path);
}

static void assert_no_subvolumes(const Fixture *f) {
        run("! btrfs subvolume list %s | grep -q ' path %s/'", filesystem_path,
            f->root + strlen(filesystem_path) + 1);
}

static void test_nested_are_cloned(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_close_ int fd = -1;
        bool read_only;

        assert_ok(volume_clone(f.pool, "web", "copy", "job", NULL, err));
        run("cd %s/copy && test \"$(cat etc/content)\" = one && test \"$(cat "
            "var/lib/machines/inner/content)\" = two && test \"$(stat -c %%i . var/lib/machines "
            "var/lib/machines/inner var/lib/portables | xargs)\" = '256 256 256 256' && test \"$(stat -c "
            "'%%u:%%g %%a %%Y' var/lib/portables)\" = '7:8 1750 1000000000'",
            f.pool->path);
        fd = beneath_open(f.pool->fd, "copy", O_RDONLY | O_DIRECTORY);
        assert_int_equal(btrfs_has_nested(fd), 1);
        assert_int_equal(btrfs_get_read_only(fd, &read_only), 0);
        assert_false(read_only);

        assert_ok(volume_delete(f.pool, "web", "a", err));
        assert_ok(volume_delete(f.pool, "copy", "b", err));
        assert_tidy(&f, "");
        assert_no_subvolumes(&f);
}

static void test_snapshot_with_nested(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        const Snapshot s = { .name = (char *) "s" };

        assert_ok(snapshot_create(f.pool, "web", &s, "job", NULL, err));
        run("cd %s/.ctvirt/snapshots/web/s && test \"$(cat var/lib/machines/inner/content)\" = two "
            "&& ! touch new 2>/dev/null && ! touch var/lib/portables/new 2>/dev/null",
            f.pool->path);
        run("cd %s/web && echo changed >etc/content && btrfs -q subvolume delete var/lib/portables",
            f.pool->path);
        assert_ok(snapshot_revert(f.pool, "web", "s", "job", false, NULL, err));
        run("cd %s/web && test \"$(cat etc/content)\" = one && touch var/lib/portables/new new",
            f.pool->path);
        assert_ok(snapshot_delete(f.pool, "web", "s", "job", err));
        assert_tidy(&f, "web");
}

static void test_read_only_is_moved(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_volume_ Volume v = { 0 };

        run("btrfs property set %s/web ro true", f.pool->path);
        assert_ok(volume_rename(f.pool, "web", "www", "job", err));
        assert_ok(volume_get(f.pool, "www", &v, err));
        assert_true(v.read_only);
        assert_int_equal(v.type, VOLUME_SUBVOLUME);
        assert_ok(volume_delete(f.pool, "www", "job", err));
        assert_tidy(&f, "");
}

/* A plain folder becomes a subvolume by being cloned. */
static void test_folder_is_cloned_to_subvolume(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_volume_ Volume v = { 0 };

        run("cd %s && mkdir -p plain/etc && head -c 3M /dev/urandom >plain/etc/content && sync -f .",
            f.pool->path);
        assert_ok(volume_clone(f.pool, "plain", "copy", "job", NULL, err));
        assert_ok(volume_get(f.pool, "copy", &v, err));
        assert_int_equal(v.type, VOLUME_SUBVOLUME);
        run("cd %s && cmp plain/etc/content copy/etc/content", f.pool->path);
        /* The contents are shared. */
        run("cd %s && filefrag -v copy/etc/content | grep -q shared", f.pool->path);
        /* A folder with a subvolume in it is deleted as well. */
        run("cd %s && btrfs -q subvolume create plain/sub && mkdir -p plain/sub/x", f.pool->path);
        assert_ok(volume_delete(f.pool, "plain", "job", err));
        assert_tidy(&f, "copy web");
}

/* Subvolumes where no path leads to. */
static void test_hidden_subvolumes(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        int fd = beneath_open(f.pool->fd, "web", O_RDONLY | O_DIRECTORY);
        _cleanup_close_ int last = -1;

        for (unsigned i = 0; i < 3000; i++) {
                bool sub = i == 100 || i == 2500 || i == 2501;
                int inner;

                assert_int_equal(
                        sub ? btrfs_create_subvolume(fd, "deep") : mkdirat(fd, "deep", 0700), 0);
                inner = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                assert_true(inner >= 0);
                if (i == 2501)
                        last = dup(inner);
                (void) close(fd);
                fd = inner;
        }
        (void) close(fd);
        assert_int_equal(btrfs_set_read_only(last, true), 0);
        assert_refused(volume_clone(f.pool, "web", "copy", "job", NULL, err), ENAMETOOLONG, "web");
        assert_tidy(&f, "web");
        assert_ok(volume_delete(f.pool, "web", "job", err));
        assert_tidy(&f, "");
        assert_no_subvolumes(&f);
}

static void test_many_nested(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        int fd = beneath_open(f.pool->fd, "web", O_RDONLY | O_DIRECTORY);
        _cleanup_free_ char *name = malloc(256);

        /* So that 40 of them are more than a path. */
        memset(name, 'n', 200);
        name[200] = '\0';
        for (unsigned i = 0; i < 40; i++) {
                int inner;

                assert_int_equal(btrfs_create_subvolume(fd, name), 0);
                inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                assert_true(inner >= 0);
                assert_int_equal(mkdirat(inner, "folder", 0700), 0);
                if (i > 0)
                        assert_int_equal(btrfs_set_read_only(fd, true), 0);
                (void) close(fd);
                fd = inner;
        }
        (void) close(fd);
        assert_ok(volume_delete(f.pool, "web", "job", err));
        assert_tidy(&f, "");
        assert_no_subvolumes(&f);
}

static void wait_for_rescan(const Fixture *f) {
        run("btrfs quota rescan -W %s >/dev/null 2>&1; sync -f %s", f->pool->path, f->pool->path);
}

static void test_quota(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        const Snapshot s = { .name = (char *) "s" };
        _cleanup_volume_ Volume v = { 0 };
        PoolInfo info;

        run("btrfs property set %s/web/var/lib/machines ro false", f.pool->path);
        assert_int_equal(pool_info(f.pool, &info), 0);
        assert_false(info.has_quota);
        assert_ok(volume_get(f.pool, "web", &v, err));
        assert_true(v.limit == UINT64_MAX && v.used == UINT64_MAX);
        volume_done(&v);
        /* No limit is what it has. */
        assert_ok(volume_resize(f.pool, "web", UINT64_MAX, err));
        assert_int_equal(pool_info(f.pool, &info), 0);
        assert_false(info.has_quota);

        assert_ok(volume_resize(f.pool, "web", 20 * MiB, err));
        wait_for_rescan(&f);
        assert_int_equal(pool_info(f.pool, &info), 0);
        assert_true(info.has_quota);
        run("head -c 5M /dev/urandom >%s/web/etc/big && sync -f %s", f.pool->path, f.pool->path);
        assert_ok(volume_get(f.pool, "web", &v, err));
        assert_true(v.limit == 20 * MiB);
        assert_in_range(v.used, 5 * MiB, 6 * MiB);
        volume_done(&v);
        run("! head -c 30M /dev/urandom >%s/web/etc/more 2>/dev/null && rm %s/web/etc/more",
            f.pool->path, f.pool->path);
        /* Nor in a subvolume of it. */
        run("! head -c 30M /dev/urandom >%s/web/var/lib/machines/more 2>/dev/null && rm "
            "%s/web/var/lib/machines/more && sync -f %s",
            f.pool->path, f.pool->path, f.pool->path);

        /* A copy has it, and what is put back. */
        assert_ok(volume_clone(f.pool, "web", "copy", "job", NULL, err));
        assert_ok(volume_get(f.pool, "copy", &v, err));
        assert_true(v.limit == 20 * MiB);
        volume_done(&v);
        assert_ok(snapshot_create(f.pool, "web", &s, "job", NULL, err));
        assert_ok(volume_resize(f.pool, "web", 40 * MiB, err));
        assert_ok(snapshot_revert(f.pool, "web", "s", "job", false, NULL, err));
        assert_ok(volume_get(f.pool, "web", &v, err));
        assert_true(v.limit == 40 * MiB);
        volume_done(&v);

        assert_ok(volume_resize(f.pool, "web", UINT64_MAX, err));
        run("head -c 60M /dev/urandom >%s/web/etc/more", f.pool->path);
        assert_ok(volume_get(f.pool, "web", &v, err));
        assert_true(v.limit == UINT64_MAX);

        assert_ok(volume_delete(f.pool, "web", "a", err));
        assert_ok(volume_delete(f.pool, "copy", "b", err));
        assert_ok(snapshot_delete_all(f.pool, "web", "c", err));
        assert_tidy(&f, "");
        run("! btrfs qgroup show %s 2>/dev/null | grep -q ^255/", f.pool->path);
}

static void assert_counted(const Fixture *f) {
        assert_int_equal(f->pool->backend->count_again(f->pool->fd, false), 0);
        wait_for_rescan(f);
        assert_int_equal(btrfs_count_is_lost(f->pool->fd), 0);
}

/* What makes the kernel lose count. */
static void test_count_again(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        const Snapshot s = { .name = (char *) "s" };
        _cleanup_volume_ Volume v = { 0 };

        assert_int_equal(f.pool->backend->count_again(f.pool->fd, false), 0);
        assert_ok(volume_resize(f.pool, "web", 20 * MiB, err));
        assert_counted(&f);
        assert_ok(snapshot_create(f.pool, "web", &s, "job", NULL, err));
        assert_int_equal(btrfs_count_is_lost(f.pool->fd), 1);
        assert_counted(&f);
        run("head -c 5M /dev/urandom >%s/web/etc/big && sync -f %s", f.pool->path, f.pool->path);
        assert_ok(volume_get(f.pool, "web", &v, err));
        assert_in_range(v.used, 5 * MiB, 6 * MiB);
        run("! head -c 30M /dev/urandom >>%s/web/etc/big 2>/dev/null", f.pool->path);
        assert_ok(volume_delete(f.pool, "web", "a", err));
        assert_tidy(&f, "");
        run("! btrfs qgroup show %s 2>/dev/null | grep -q ^255/", f.pool->path);
        assert_ok(snapshot_delete_all(f.pool, "web", "c", err));
        assert_tidy(&f, "");
        assert_counted(&f);
}

static uint64_t used_by(const Fixture *f, const char *name) {
        uint64_t used, limit;

        wait_for_rescan(f);
        run("sync -f %s", f->pool->path);
        assert_int_equal(f->pool->backend->get_quota(f->pool->fd, name, &used, &limit), 0);
        return used;
}

static void forget_limit(const Fixture *f, const char *name) {
        _cleanup_close_ int fd = beneath_open(f->pool->fd, name, O_RDONLY | O_DIRECTORY);

        assert_true(fd >= 0);
        btrfs_forget_quota(f->pool->fd, fd);
}

static void pause_for(int ms) {
        assert_int_equal(nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL), 0);
}

static void begin_to_count(const Fixture *f) {
        run("btrfs quota rescan %s >/dev/null", f->pool->path);
}

/* The end of a count that began before takes the kernel's flag away, whatever it has not counted. */
static void test_limit_while_counting(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        run("head -c 3M /dev/urandom >%s/web/etc/big", f.pool->path);
        assert_int_equal(f.pool->backend->set_quota(f.pool->fd, "web", MiB * 20, NULL), 0);
        for (int i = 0; i < WHILE_COUNTING; i++) {
                assert_ok(volume_clone(f.pool, "web", "copy", "job", NULL, err));
                assert_int_equal(f.pool->backend->set_quota(f.pool->fd, "copy", UINT64_MAX, NULL),
                                 0);
                wait_for_rescan(&f);
                forget_limit(&f, "copy");
                begin_to_count(&f);
                pause_for(i);
                assert_int_equal(f.pool->backend->set_quota(f.pool->fd, "copy", MiB * 20, NULL), 0);
                assert_in_range(used_by(&f, "copy"), 3 * MiB, 4 * MiB);
                assert_ok(volume_delete(f.pool, "copy", "a", err));
                assert_tidy(&f, "web");
        }
        assert_ok(volume_delete(f.pool, "web", "a", err));
        assert_tidy(&f, "");
}

/* So does one in whose last moment a snapshot is made. */
static void test_snapshot_while_counting(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        const Snapshot s = { .name = (char *) "s" };

        assert_int_equal(f.pool->backend->set_quota(f.pool->fd, "web", MiB * 20, NULL), 0);
        for (int i = 0; i < WHILE_COUNTING; i++) {
                wait_for_rescan(&f);
                begin_to_count(&f);
                pause_for(i);
                assert_ok(snapshot_create(f.pool, "web", &s, "job", NULL, err));
                assert_int_equal(f.pool->backend->count_again(f.pool->fd, true), 0);
                run("head -c 3M /dev/urandom >%s/web/etc/big", f.pool->path);
                assert_in_range(used_by(&f, "web"), 3 * MiB, 4 * MiB);
                run("rm %s/web/etc/big", f.pool->path);
                assert_in_range(used_by(&f, "web"), 0, MiB);
                assert_ok(snapshot_delete_all(f.pool, "web", "c", err));
                assert_tidy(&f, "web");
        }
        assert_ok(volume_delete(f.pool, "web", "a", err));
        assert_tidy(&f, "");
}

/* A limit can be changed when nothing can be written any more. */
static void test_quota_when_full(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_volume_ Volume v = { 0 };

        assert_ok(volume_resize(f.pool, "web", 20 * MiB, err));
        wait_for_rescan(&f);
        run("! head -c 30M /dev/urandom >>%s/web/etc/big 2>/dev/null", f.pool->path);
        assert_ok(volume_resize(f.pool, "web", 30 * MiB, err));
        run("head -c 5M /dev/urandom >>%s/web/etc/big", f.pool->path);
        assert_refused(volume_resize(f.pool, "web", MiB, err), EINVAL,
                       "MiB: with a limit of 1.0 MiB nothing could be written");
        run("btrfs qgroup limit 1M 255/$(btrfs inspect-internal rootid %s/web) %s", f.pool->path,
            f.pool->path);
        assert_ok(volume_get(f.pool, "web", &v, err));
        assert_true(v.limit == MiB);
        assert_ok(volume_resize(f.pool, "web", 40 * MiB, err));
        run("head -c 5M /dev/urandom >>%s/web/etc/big", f.pool->path);
        assert_ok(volume_resize(f.pool, "web", UINT64_MAX, err));
        run("head -c 40M /dev/urandom >>%s/web/etc/big", f.pool->path);
}

/* The first limit, before anything has been counted. */
static void test_first_quota_too_small(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_volume_ Volume v = { 0 };

        run("head -c 5M /dev/urandom >%s/web/etc/big && btrfs quota disable %s 2>/dev/null; :",
            f.pool->path, f.pool->path);
        assert_refused(volume_resize(f.pool, "web", MiB, err), EINVAL, "'web' uses 5.");
        assert_ok(volume_get(f.pool, "web", &v, err));
        assert_true(v.limit == UINT64_MAX);
}

static void test_stale_groups(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        size_t n;

        run("cd %s && btrfs quota disable . && btrfs quota enable . && "
            "btrfs qgroup create 255/$(btrfs inspect-internal rootid web) . && "
            "btrfs qgroup create 255/100 . && "
            "for i in $(seq 100); do btrfs qgroup create 255/7000$i .; done",
            f.pool->path);
        assert_int_equal(btrfs_sweep_quota(f.pool->fd, false, &n), 0);
        assert_int_equal(n, 100);
        assert_int_equal(btrfs_sweep_quota(f.pool->fd, true, &n), 0);
        assert_int_equal(n, 100);
        run("test $(btrfs qgroup show %s 2>/dev/null | grep -c ^255/) = 2", f.pool->path);
        assert_int_equal(btrfs_sweep_quota(f.pool->fd, true, &n), 0);
        assert_int_equal(n, 0);
}

/* What machinectl set-limit has set is the limit that is seen and changed. */
static void test_quota_of_machined(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_volume_ Volume v = { 0 };

        run("cd %s && btrfs quota enable . && id=$(btrfs inspect-internal rootid web) && "
            "btrfs qgroup create 254/$id . && btrfs qgroup assign 0/$id 254/$id . --no-rescan && "
            "btrfs qgroup limit 30M 254/$id .",
            f.pool->path);
        assert_ok(volume_get(f.pool, "web", &v, err));
        assert_true(v.limit == 30 * MiB);
        volume_done(&v);
        assert_ok(volume_resize(f.pool, "web", 50 * MiB, err));
        assert_ok(volume_get(f.pool, "web", &v, err));
        assert_true(v.limit == 50 * MiB);
        run("btrfs qgroup show -r --raw %s 2>/dev/null | grep -q '^254/.* 52428800'", f.pool->path);
        run("! btrfs qgroup show %s 2>/dev/null | grep -q ^255/", f.pool->path);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nested_are_cloned),
        cmocka_unit_test(test_snapshot_with_nested),
        cmocka_unit_test(test_read_only_is_moved),
        cmocka_unit_test(test_folder_is_cloned_to_subvolume),
        cmocka_unit_test(test_hidden_subvolumes),
        cmocka_unit_test(test_many_nested),
        /* From here on the filesystem has quota. */
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_count_again),
        cmocka_unit_test(test_limit_while_counting),
        cmocka_unit_test(test_snapshot_while_counting),
        cmocka_unit_test(test_quota_of_machined),
        cmocka_unit_test(test_quota_when_full),
        cmocka_unit_test(test_first_quota_too_small),
        cmocka_unit_test(test_stale_groups),
};

int main(void) {
        enter_mount_namespace();
        return cmocka_run_group_tests_name("btrfs", tests, setup_btrfs, filesystem_teardown);
}

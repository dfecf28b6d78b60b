/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Volumes: what people see and change, and the pool that they are in, on real filesystems.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/pool/beneath.h"
#include "agent/pool/volume.h"
#include "base/strv.h"
#include "pool_fixture.h"

typedef struct Fixture {
        char *root;
        Pool *pool;
} Fixture;

static void fixture_done(Fixture *f) {
        pool_free(f->pool);
        free(f->root);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

static Fixture fixture_new(void) {
        Fixture f = { 0 };

        f.pool = test_pool_new(&f.root);
        return f;
}

static void make_volume(const Fixture *f, const char *name, const char *content) {
        const char *slash = strrchr(name, '/');
        _cleanup_free_ char *folder = strndup(name, slash ? (size_t) (slash - name) : 0);
        _cleanup_close_ int fd = beneath_open(f->pool->fd, folder, O_RDONLY | O_DIRECTORY);

        assert_int_equal(f->pool->backend->create(fd, slash ? slash + 1 : name), 0);
        run("mkdir -p %s/%s/etc && echo %s >%s/%s/etc/content", f->pool->path, name, content,
            f->pool->path, name);
}

static void assert_content(const Fixture *f, const char *name, const char *content) {
        run("test \"$(cat %s/%s/etc/content)\" = %s", f->pool->path, name, content);
}

static void assert_pool_is(const Fixture *f, const char *names) {
        run("test \"$(ls %s | xargs)\" = '%s'", f->pool->path, names);
}

/* Nothing half done, nothing in the trash. */
static void assert_tidy(const Fixture *f) {
        run("test -z \"$(ls -A %s/.ctvirt/new %s/.ctvirt/trash | grep -v :)\"", f->pool->path,
            f->pool->path);
}

static void test_names(void **state) {
        static const char *const good[] = { "web", "web-1", "a.b", "x_y", "WEB", "0" };
        static const char *const bad[] = { "",     ".",    "..",      ".ctvirt", "-web",
                                           "a/b",  "../x", "web.raw", "a b",     "a\nb",
                                           "web.", "a..b", "\xc3\xbc" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(volume_name_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(volume_name_is_valid(bad[i]));
        for (int t = VOLUME_SUBVOLUME; t <= VOLUME_RAW; t++)
                assert_int_equal(volume_type_from_string(volume_type_to_string((VolumeType) t)), t);
        assert_int_equal(volume_type_from_string("qcow2"), -EINVAL);
}

static void test_bad_names_reach_nothing(void **state) {
        static const char *const bad[] = { "..", "../outside", ".ctvirt", "a/b", "" };
        _cleanup_fixture_ Fixture f = fixture_new();

        run("mkdir %s/outside", f.root);
        make_volume(&f, "web", "one");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                Volume v;

                assert_refused(volume_get(f.pool, bad[i], &v, err), EINVAL, "name of a volume");
                assert_refused(volume_clone(f.pool, bad[i], "new", "job", NULL, err), EINVAL,
                               "name of a volume");
                assert_refused(volume_clone(f.pool, "web", bad[i], "job", NULL, err), EINVAL,
                               "name of a volume");
                assert_refused(volume_rename(f.pool, "web", bad[i], "job", err), EINVAL,
                               "name of a volume");
                assert_refused(volume_delete(f.pool, bad[i], "job", err), EINVAL,
                               "name of a volume");
                assert_refused(volume_delete(f.pool, "web", bad[i], err), EINVAL, "ID of a job");
                assert_refused(volume_publish(f.pool, "job", VOLUME_DIRECTORY, bad[i], false, err),
                               EINVAL, "name of a volume");
        }
        assert_pool_is(&f, "web");
        run("test -d %s/outside", f.root);
}

static void test_open(void **state) {
        _cleanup_free_ char *root = test_folder_new();
        Pool *p = NULL;

        /* It makes what is missing, for root alone. */
        assert_ok(pool_open(root, &p, err));
        p = pool_free(p);
        run("cd %s/var/lib/machines && test \"$(stat -c %%a . .ctvirt .ctvirt/new .ctvirt/trash "
            ".ctvirt/bases .ctvirt/snapshots | xargs)\" = '700 700 700 700 700 700'",
            root);

        run("chmod 0755 %s/var/lib/machines", root);
        assert_ok(pool_open(root, &p, err));
        p = pool_free(p);
        run("chmod 0775 %s/var/lib/machines", root);
        assert_refused(pool_open(root, &p, err), EPERM, "chmod 0700");
        run("chmod 0700 %s/var/lib/machines && chown 1000 %s/var/lib/machines", root, root);
        assert_refused(pool_open(root, &p, err), EPERM, "belongs to user 1000");
        run("chown 0 %s/var/lib/machines && chown 1000 %s/var/lib/machines/.ctvirt/trash", root,
            root);
        assert_refused(pool_open(root, &p, err), EPERM, "/.ctvirt/trash' belongs to user 1000");
        run("cd %s/var/lib/machines && rmdir .ctvirt/trash && ln -s /tmp .ctvirt/trash", root);
        assert_refused(pool_open(root, &p, err), ELOOP, "/.ctvirt/trash' must be a folder");
        run("cd %s/var/lib && rm -r machines && echo x >machines", root);
        assert_refused(pool_open(root, &p, err), ENOTDIR, "cannot open the pool");

        /* Where the pool is, is the administrator's. */
        run("cd %s && rm var/lib/machines && mkdir elsewhere && ln -s ../../elsewhere "
            "var/lib/machines",
            root);
        assert_ok(pool_open(root, &p, err));
        p = pool_free(p);
        run("test -d %s/elsewhere/.ctvirt/new", root);
}

static void test_info(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        PoolInfo info;

        assert_int_equal(pool_info(f.pool, &info), 0);
        assert_in_range(info.capacity, 400 << 20, 700 << 20);
        assert_in_range(info.available, 1 << 20, info.capacity);
        assert_true(info.allocation < info.capacity);
}

static void test_list(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_volume_list_ VolumeList l = { 0 };
        Volume v;

        make_volume(&f, "web", "x");
        make_volume(&f, "web-1", "x");
        run("cd %s && truncate -s 1G disk.raw && mkdir plain && truncate -s 5M web.raw && "
            "ln -s web link && ln -s disk.raw link.raw && mkdir mounted .hidden 'bad name' "
            "ctvirt-job-00c0ffee && touch file ctvirt-job-00c0ffee.raw && mkfifo fifo fifo.raw && "
            "mount -t tmpfs tmpfs mounted && chmod 0400 disk.raw",
            f.pool->path);
        assert_int_equal(volume_list(f.pool, &l), 0);
        assert_int_equal(l.n_items, 4);
        assert_string_equal(l.items[0].name, "disk");
        assert_int_equal(l.items[0].type, VOLUME_RAW);
        assert_int_equal(l.items[0].limit, 1 << 30);
        assert_in_range(l.items[0].used, 0, 1 << 20);
        assert_true(l.items[0].read_only);
        assert_true(l.items[0].created_usec > 0);
        assert_string_equal(l.items[1].name, "plain");
        assert_int_equal(l.items[1].type, VOLUME_DIRECTORY);
        assert_true(l.items[1].limit == UINT64_MAX);
        assert_string_equal(l.items[2].name, "web");
        assert_int_equal(l.items[2].type, f.pool->backend == &pool_backend_btrfs
                                                  ? VOLUME_SUBVOLUME
                                                  : VOLUME_DIRECTORY);
        assert_false(l.items[2].read_only);
        assert_true(l.items[2].created_usec > 0);
        assert_string_equal(l.items[3].name, "web-1");
        assert_int_equal(volume_clone_is_quick(f.pool, &l.items[2]),
                         f.pool->backend == &pool_backend_btrfs);
        assert_false(volume_clone_is_quick(f.pool, &l.items[0]));

        assert_refused(volume_get(f.pool, "link", &v, err), ELOOP, "/link' is a symlink");
        assert_refused(volume_get(f.pool, "mounted", &v, err), EXDEV, "is a mount point");
        assert_refused(volume_get(f.pool, "file", &v, err), ENOTDIR, "not a folder");
        assert_refused(volume_get(f.pool, "fifo", &v, err), ENOTDIR, "not a folder");
        assert_refused(volume_get(f.pool, "gone", &v, err), ENOENT, "no volume 'gone'");
        run("umount %s/mounted", f.pool->path);
}

static void test_clone(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        make_volume(&f, "web", "one");
        assert_ok(volume_clone(f.pool, "web", "copy", "job", NULL, err));
        assert_content(&f, "copy", "one");
        /* They have nothing in common any more. */
        run("echo two >%s/copy/etc/content", f.pool->path);
        assert_content(&f, "web", "one");

        assert_refused(volume_clone(f.pool, "web", "copy", "job", NULL, err), EEXIST,
                       "a volume 'copy' already");
        assert_content(&f, "copy", "two");
        assert_refused(volume_clone(f.pool, "none", "other", "job", NULL, err), ENOENT,
                       "no volume 'none'");
        run("ln -s web %s/link && ln -s /nowhere %s/dangling", f.pool->path, f.pool->path);
        assert_refused(volume_clone(f.pool, "link", "other", "job", NULL, err), ELOOP, "symlink");
        assert_refused(volume_clone(f.pool, "web", "dangling", "job", NULL, err), ELOOP, "symlink");
        assert_pool_is(&f, "copy dangling link web");
        assert_tidy(&f);
}

static void test_clone_of_read_only(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_volume_ Volume v = { 0 };

        make_volume(&f, "base", "one");
        assert_int_equal(f.pool->backend->set_read_only(f.pool->fd, "base", true), 0);
        assert_ok(volume_get(f.pool, "base", &v, err));
        assert_true(v.read_only);
        assert_ok(volume_clone(f.pool, "base", "copy", "job", NULL, err));
        volume_done(&v);
        assert_ok(volume_get(f.pool, "copy", &v, err));
        if (f.pool->backend == &pool_backend_btrfs)
                assert_false(v.read_only);

        /* It can be renamed and deleted, and stays what it is. */
        assert_ok(volume_rename(f.pool, "base", "ground", "job", err));
        volume_done(&v);
        assert_ok(volume_get(f.pool, "ground", &v, err));
        assert_true(v.read_only);
        assert_content(&f, "ground", "one");
        assert_ok(volume_delete(f.pool, "ground", "job", err));
        assert_ok(pool_clean(f.pool, NULL, NULL, NULL, NULL, err));
        assert_pool_is(&f, "copy");
        assert_tidy(&f);
}

static void test_image(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        run("cd %s && truncate -s 200M disk.raw && printf head | dd of=disk.raw conv=notrunc "
            "2>/dev/null && printf tail >>disk.raw && chmod 0640 disk.raw",
            f.pool->path);
        assert_ok(volume_clone(f.pool, "disk", "copy", "job", NULL, err));
        run("cd %s && cmp disk.raw copy.raw && test $(stat -c %%b copy.raw) -lt 2048 && test "
            "$(stat -c %%a copy.raw) = 640",
            f.pool->path);
        assert_ok(volume_resize(f.pool, "copy", 300 << 20, err));
        run("test $(stat -c %%s %s/copy.raw) = $((300 * 1024 * 1024))", f.pool->path);
        assert_refused(volume_resize(f.pool, "copy", 100 << 20, err), EINVAL, "can only grow");
        assert_refused(volume_resize(f.pool, "copy", UINT64_MAX, err), EINVAL, "has a size");
        run("test $(stat -c %%s %s/copy.raw) = $((300 * 1024 * 1024))", f.pool->path);

        assert_ok(volume_rename(f.pool, "copy", "other", "job", err));
        assert_refused(volume_rename(f.pool, "other", "disk", "job", err), EEXIST,
                       "a volume 'disk'");
        assert_ok(volume_delete(f.pool, "other", "job", err));
        assert_pool_is(&f, "disk.raw");
        assert_ok(pool_clean(f.pool, NULL, NULL, NULL, NULL, err));
        assert_tidy(&f);
}

/* What systemd-nspawn does for as long as a container runs; the fd is the lock. */
static int nspawn_lock(const Fixture *f, const char *file) {
        const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        _cleanup_free_ char *path = text_format("%s/.#%s.lck", f->pool->path, file);
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
        return fd;
}

/* Begun while it was down, done when somebody had started it: its root stays under it. */
static void test_running(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_close_ int lock = -1, fd = -1;

        make_volume(&f, "web", "one");
        lock = nspawn_lock(&f, "web");
        assert_refused(volume_delete(f.pool, "web", "ab12", err), EBUSY, "is in use");
        assert_refused(volume_rename(f.pool, "web", "www", "job", err), EBUSY, "is in use");
        make_volume(&f, ".ctvirt/new/ab13", "two");
        assert_refused(volume_publish(f.pool, "ab13", VOLUME_DIRECTORY, "web", true, err), EBUSY,
                       "is in use");
        assert_content(&f, "web", "one");
        run("test -e '%s/.#web.lck'", f.pool->path);

        /* Its image, which the new tree would hide. */
        run("truncate -s 1M %s/db.raw", f.pool->path);
        fd = nspawn_lock(&f, "db.raw");
        assert_refused(volume_publish(f.pool, "ab13", VOLUME_DIRECTORY, "db", true, err), EBUSY,
                       "is in use");
        run("test -e %s/db.raw -a ! -e %s/db", f.pool->path, f.pool->path);

        (void) close(TAKE_FD(lock));
        assert_ok(volume_publish(f.pool, "ab13", VOLUME_DIRECTORY, "web", true, err));
        assert_content(&f, "web", "two");
        run("test ! -e '%s/.#web.lck'", f.pool->path);
        assert_ok(volume_delete(f.pool, "web", "ab14", err));
        run("test ! -e '%s/.#web.lck'", f.pool->path);
}

static void test_rename(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        make_volume(&f, "web", "one");
        make_volume(&f, "db", "two");
        run("mkdir -p %s/.ctvirt/snapshots/web/first", f.pool->path);
        assert_refused(volume_rename(f.pool, "web", "db", "job", err), EEXIST, "a volume 'db'");
        assert_refused(volume_rename(f.pool, "none", "x", "job", err), ENOENT, "no volume 'none'");
        assert_ok(volume_rename(f.pool, "web", "www", "job", err));
        assert_content(&f, "www", "one");
        assert_content(&f, "db", "two");
        run("test -d %s/.ctvirt/snapshots/www/first", f.pool->path);

        /* Snapshots of another that had the name would become its own. */
        run("mkdir -p %s/.ctvirt/snapshots/old/first", f.pool->path);
        assert_refused(volume_rename(f.pool, "db", "old", "job", err), EEXIST,
                       "snapshots of another");
        assert_pool_is(&f, "db www");
}

static void test_mounted_volume_stays(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        make_volume(&f, "web", "one");
        run("mkdir %s/web/mnt && mount -t tmpfs tmpfs %s/web/mnt && : >%s/web/mnt/precious",
            f.pool->path, f.pool->path, f.pool->path);
        assert_refused(volume_delete(f.pool, "web", "job", err), EBUSY, "/web/mnt'");
        assert_refused(volume_rename(f.pool, "web", "www", "job", err), EBUSY, "/web/mnt'");
        make_volume(&f, ".ctvirt/new/job", "two");
        assert_refused(volume_publish(f.pool, "job", VOLUME_DIRECTORY, "web", true, err), EBUSY,
                       "/web/mnt'");
        assert_content(&f, "web", "one");
        run("test -e %s/web/mnt/precious", f.pool->path);
        run("umount %s/web/mnt", f.pool->path);
        assert_ok(volume_publish(f.pool, "job", VOLUME_DIRECTORY, "web", true, err));
        assert_content(&f, "web", "two");
        assert_ok(volume_delete(f.pool, "web", "job2", err));
        assert_pool_is(&f, "");
}

static void test_publish(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_close_ int fd = -1, other = -1;

        assert_ok(volume_begin(f.pool, "0badcafe", &fd, err));
        assert_refused(volume_begin(f.pool, "0badcafe", &other, err), EEXIST, "/new/0badcafe");
        run("mkdir %s/.ctvirt/new/0badcafe/etc && echo new >%s/.ctvirt/new/0badcafe/etc/content",
            f.pool->path, f.pool->path);
        make_volume(&f, "web", "old");
        assert_refused(volume_publish(f.pool, "0badcafe", VOLUME_RAW, "other", false, err), EINVAL,
                       "not a raw");
        assert_refused(volume_publish(f.pool, "0badcafe", VOLUME_DIRECTORY, "web", false, err),
                       EEXIST, "/web' is there already");
        assert_content(&f, "web", "old");
        assert_ok(volume_publish(f.pool, "0badcafe", VOLUME_DIRECTORY, "web", true, err));
        assert_content(&f, "web", "new");
        run("test \"$(cat %s/.ctvirt/trash/*/etc/content)\" = old", f.pool->path);
        assert_refused(volume_publish(f.pool, "0badcafe", VOLUME_DIRECTORY, "x", false, err),
                       ENOENT, "new/0badcafe'");

        /* An image in the place of a folder, and back. */
        run("echo image >%s/.ctvirt/new/1", f.pool->path);
        assert_refused(volume_publish(f.pool, "1", VOLUME_RAW, "web", false, err), EEXIST,
                       "a volume 'web'");
        assert_ok(volume_publish(f.pool, "1", VOLUME_RAW, "web", true, err));
        assert_pool_is(&f, "web.raw");
        make_volume(&f, ".ctvirt/new/2", "again");
        assert_refused(volume_publish(f.pool, "2", VOLUME_DIRECTORY, "web", false, err), EEXIST,
                       "a volume 'web'");
        assert_ok(volume_publish(f.pool, "2", VOLUME_DIRECTORY, "web", true, err));
        assert_pool_is(&f, "web");
        assert_content(&f, "web", "again");
        assert_ok(pool_clean(f.pool, NULL, NULL, NULL, NULL, err));
        assert_tidy(&f);
}

static bool is_cafe(void *userdata, const char *id) {
        return streq(id, "cafe");
}

static void test_clean(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_strv_ char **removed = NULL;
        _cleanup_free_ char *text = NULL;

        make_volume(&f, "web", "one");
        make_volume(&f, ".ctvirt/new/cafe", "running");
        make_volume(&f, ".ctvirt/new/dead", "half");
        run("cd %s && mkdir -p ctvirt-job-dead ctvirt-job-cafe && : >ctvirt-job-beef.raw && cd "
            ".ctvirt/new && mkdir cafe-cache dead-cache && : >dead.part && mkdir -p ../trash/x/y "
            "&& chattr +i ../trash/x/y",
            f.pool->path);
        assert_ok(pool_clean(f.pool, is_cafe, NULL, NULL, &removed, err));
        text = strv_join(removed, " ");
        assert_string_equal(text, "dead beef");
        run("test \"$(ls %s/.ctvirt/new | xargs)\" = 'cafe cafe-cache'", f.pool->path);
        run("test -z \"$(ls -A %s/.ctvirt/trash)\"", f.pool->path);
        assert_pool_is(&f, "ctvirt-job-cafe web");

        /* What cannot be removed does not keep the rest. */
        run("cd %s/.ctvirt/trash && mkdir 1 2 3 && mount -t tmpfs tmpfs 2", f.pool->path);
        assert_refused(pool_clean(f.pool, NULL, NULL, NULL, NULL, err), EBUSY, "trash/2'");
        run("test \"$(ls %s/.ctvirt/trash)\" = 2 && umount %s/.ctvirt/trash/2", f.pool->path,
            f.pool->path);
        assert_ok(pool_clean(f.pool, NULL, NULL, NULL, NULL, err));
        assert_tidy(&f);
}

static void test_limit_without_quota(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        run("mkdir %s/plain", f.pool->path);
        if (f.pool->backend == &pool_backend_btrfs)
                assert_refused(volume_resize(f.pool, "plain", 1 << 30, err), EOPNOTSUPP,
                               "is a plain folder");
        else
                assert_refused(volume_resize(f.pool, "plain", 1 << 30, err), EOPNOTSUPP,
                               "mount it with prjquota");
        assert_ok(volume_resize(f.pool, "plain", UINT64_MAX, err));
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_bad_names_reach_nothing),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_clone_of_read_only),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_running),
        cmocka_unit_test(test_rename),
        cmocka_unit_test(test_mounted_volume_stays),
        cmocka_unit_test(test_publish),
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_limit_without_quota),
};

int main(void) {
        int failed;

        enter_mount_namespace();
        failed = cmocka_run_group_tests_name("btrfs", tests, setup_btrfs, filesystem_teardown);
        failed += cmocka_run_group_tests_name("ext4", tests, setup_ext4, filesystem_teardown);
        return failed;
}

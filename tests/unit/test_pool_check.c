/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is wrong with a pool, and what is mended.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/pool/pool_check.h"
#include "agent/pool/snapshot.h"
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

static bool is_cafe(void *userdata, const char *id) {
        return streq(id, "cafe");
}

/* Exactly one problem, with these words in it. */
static void assert_problem(const Fixture *f, const char *words, bool repairable) {
        _cleanup_pool_problem_list_ PoolProblemList l = { 0 };

        assert_int_equal(pool_check(f->root, is_cafe, NULL, false, &l), 0);
        for (size_t i = 0; i < l.n_items; i++)
                if (l.n_items != 1 || !strstr(l.items[i].text, words))
                        print_error("%s\n", l.items[i].text);
        assert_int_equal(l.n_items, 1);
        assert_non_null(strstr(l.items[0].text, words));
        assert_true(endswith(l.items[0].text, "."));
        assert_int_equal(l.items[0].repairable, repairable);
}

static void assert_fine(const Fixture *f) {
        _cleanup_pool_problem_list_ PoolProblemList l = { 0 };

        assert_int_equal(pool_check(f->root, is_cafe, NULL, false, &l), 0);
        for (size_t i = 0; i < l.n_items; i++)
                print_error("%s\n", l.items[i].text);
        assert_int_equal(l.n_items, 0);
}

/* What is in the trash is no problem while it is being emptied, and is one else. */
static void assert_emptied(const Fixture *f) {
        _cleanup_pool_problem_list_ PoolProblemList l = { 0 };

        assert_problem(f, "/trash/", true);
        assert_int_equal(pool_check(f->root, is_cafe, NULL, true, &l), 0);
        assert_int_equal(l.n_items, 0);
}

/* The check has found it, the repair mends it and nothing else. */
static void assert_repaired(const Fixture *f, const char *words) {
        _cleanup_pool_problem_list_ PoolProblemList mended = { 0 }, left = { 0 };

        assert_problem(f, words, true);
        assert_ok(pool_repair(f->root, is_cafe, NULL, &mended, &left, err));
        assert_int_equal(mended.n_items, 1);
        assert_non_null(strstr(mended.items[0].text, words));
        assert_int_equal(left.n_items, 0);
        assert_fine(f);
}

static void assert_left(const Fixture *f, const char *words) {
        _cleanup_pool_problem_list_ PoolProblemList mended = { 0 }, left = { 0 };

        assert_problem(f, words, false);
        assert_ok(pool_repair(f->root, is_cafe, NULL, &mended, &left, err));
        assert_int_equal(mended.n_items, 0);
        assert_int_equal(left.n_items, 1);
        assert_problem(f, words, false);
}

static void test_healthy(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        const Snapshot s = { .name = (char *) "s" };

        assert_fine(&f);
        run("cd %s && mkdir web && truncate -s 1M disk.raw && touch web.nspawn .#fresh && "
            "mkdir ctvirt-job-cafe .ctvirt/new/cafe-1 .ctvirt/bases/x",
            f.pool->path);
        assert_ok(snapshot_create(f.pool, "web", &s, "job", NULL, err));
        assert_fine(&f);
}

static void test_owner_and_mode(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        Pool *p = NULL;

        run("chmod 0755 %s", f.pool->path);
        assert_repaired(&f, "has mode 0755 instead of 0700");
        run("chown 1000 %s", f.pool->path);
        assert_refused(pool_open(f.root, &p, err), EPERM, "user 1000");
        assert_repaired(&f, "belongs to user 1000");
        assert_ok(pool_open(f.root, &p, err));
        pool_free(p);
        run("chmod 0777 %s/.ctvirt/trash", f.pool->path);
        assert_repaired(&f, "/.ctvirt/trash' has mode 0777");
        run("rm -r %s", f.pool->path);
        assert_repaired(&f, "is not there");
        run("test \"$(stat -c %%a %s)\" = 700", f.pool->path);
}

static void test_leftovers(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        run("mkdir -p %s/.ctvirt/new/dead-1/x", f.pool->path);
        assert_repaired(&f, "/new/dead-1' is half done");
        run("mkdir -p %s/.ctvirt/trash/cafe-0/x", f.pool->path);
        assert_fine(&f);
        run("mkdir -p %s/.ctvirt/trash/dead-0/x", f.pool->path);
        assert_emptied(&f);
        assert_repaired(&f, "/trash/dead-0' was deleted");
        run("touch %s/ctvirt-job-beef.raw", f.pool->path);
        assert_repaired(&f, "ctvirt-job-beef.raw' is left of a job");
        run("mkdir -p %s/.ctvirt/snapshots/web %s/web && touch %s/.ctvirt/snapshots/web/s.xml",
            f.pool->path, f.pool->path, f.pool->path);
        assert_repaired(&f, "s.xml' is the document of a snapshot that is not there");
        run("touch %s/.ctvirt/snapshots/web/.#s.xml.0123", f.pool->path);
        assert_repaired(&f, "write that was interrupted");
}

static void test_volumes(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        run("mkdir %s/web && chmod 1777 %s/web", f.pool->path, f.pool->path);
        assert_repaired(&f, "/web' can be written to by everybody");
        run("test \"$(stat -c %%a %s/web)\" = 1775", f.pool->path);
        run("ln -s web %s/link", f.pool->path);
        assert_left(&f, "/link' is a symlink");
        run("rm %s/link && mkdir '%s/a b'", f.pool->path, f.pool->path);
        assert_left(&f, "/a b' cannot be a container");
        run("rmdir '%s/a b' && touch %s/web.raw", f.pool->path, f.pool->path);
        assert_left(&f, "are both there");
        run("rm %s/web.raw && mount -t tmpfs tmpfs %s/web", f.pool->path, f.pool->path);
        assert_left(&f, "/web' is a mount point");
        run("umount %s/web && mkfifo %s/fifo", f.pool->path, f.pool->path);
        assert_left(&f, "/fifo' is neither");
}

static void test_snapshots(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        const Snapshot s = { .name = (char *) "s" };

        run("mkdir %s/web", f.pool->path);
        assert_ok(snapshot_create(f.pool, "web", &s, "job", NULL, err));
        run("echo '<broken' >%s/.ctvirt/snapshots/web/s.xml", f.pool->path);
        assert_left(&f, "s.xml' does not say");
        run("rm %s/.ctvirt/snapshots/web/s.xml", f.pool->path);
        assert_left(&f, "/s' is a snapshot without a document");
        run("echo '<domainsnapshot><name>s</name></domainsnapshot>' "
            ">%s/.ctvirt/snapshots/web/s.xml && rmdir %s/web",
            f.pool->path, f.pool->path);
        assert_left(&f, "snapshots of 'web', which has no root");
}

static void test_own_folder_replaced(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        run("cd %s && rmdir .ctvirt/trash && mkdir %s/elsewhere && touch %s/elsewhere/keep && ln -s "
            "%s/elsewhere .ctvirt/trash",
            f.pool->path, f.root, f.root, f.root);
        assert_left(&f, "/trash' must be a folder");
        run("test -e %s/elsewhere/keep", f.root);
}

static void test_not_mounted(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();

        run("mkdir -p %s/etc/systemd/system && touch %s/etc/systemd/system/var-lib-machines.mount",
            f.root, f.root);
        assert_left(&f, "which is not mounted");
        run("mount -t tmpfs -o mode=0700 tmpfs %s", f.pool->path);
        assert_fine(&f);
        run("umount %s", f.pool->path);
}

static void test_what_cannot_be_mended(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_pool_problem_list_ PoolProblemList mended = { 0 }, left = { 0 };

        run("cd %s/.ctvirt/trash && mkdir a b c && mount -t tmpfs tmpfs b", f.pool->path);
        assert_refused(pool_repair(f.root, NULL, NULL, &mended, &left, err), EBUSY,
                       "/trash/b' was deleted");
        assert_int_equal(mended.n_items, 2);
        assert_int_equal(left.n_items, 1);
        run("umount %s/.ctvirt/trash/b", f.pool->path);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy),     cmocka_unit_test(test_owner_and_mode),
        cmocka_unit_test(test_leftovers),   cmocka_unit_test(test_volumes),
        cmocka_unit_test(test_snapshots),   cmocka_unit_test(test_own_folder_replaced),
        cmocka_unit_test(test_not_mounted), cmocka_unit_test(test_what_cannot_be_mended),
};

int main(void) {
        enter_mount_namespace();
        return cmocka_run_group_tests_name("ext4", tests, setup_ext4, filesystem_teardown);
}

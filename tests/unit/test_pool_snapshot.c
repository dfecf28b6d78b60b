/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots of containers, and their documents.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

/* With a container web that has some content. */
static Fixture fixture_new(void) {
        Fixture f = { 0 };

        f.pool = test_pool_new(&f.root);
        assert_int_equal(f.pool->backend->create(f.pool->fd, "web"), 0);
        run("mkdir %s/web/etc && echo first >%s/web/etc/content", f.pool->path, f.pool->path);
        return f;
}

static void assert_content(const Fixture *f, const char *path, const char *content) {
        run("test \"$(cat %s/%s/etc/content)\" = %s", f->pool->path, path, content);
}

static void test_names(void **state) {
        static const char *const good[] = { "a", "2026-11-21T20:15:00+01:00", "before.update",
                                            "x_y" };
        static const char *const bad[] = { "",    ".",   "..",    ".a",  "-a",  "a/b",
                                           "a b", "a\n", "a.xml", "a'b", "<a>", "\xc3\xa4" };
        char long_name[SNAPSHOT_NAME_MAX + 2];

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                assert_true(snapshot_name_is_valid(good[i]));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(snapshot_name_is_valid(bad[i]));
        assert_false(snapshot_name_is_valid(NULL));
        memset(long_name, 'a', sizeof(long_name) - 1);
        long_name[SNAPSHOT_NAME_MAX + 1] = '\0';
        assert_false(snapshot_name_is_valid(long_name));
        long_name[SNAPSHOT_NAME_MAX] = '\0';
        assert_true(snapshot_name_is_valid(long_name));
        for (int s = SNAPSHOT_RUNNING; s <= SNAPSHOT_SHUTOFF; s++)
                assert_int_equal(
                        snapshot_state_from_string(snapshot_state_to_string((SnapshotState) s)), s);
        assert_int_equal(snapshot_state_from_string("crashed"), -EINVAL);
}

static void test_document(void **state) {
        static const char definition[] =
                "<?xml version='1.0'?>\n<!-- x --><domain type='nspawn' "
                "xmlns:ct='http://ctvirt.org/schemas/container/1.0'>\n  <name>web</name>\n  "
                "<ct:quota unit='GiB'>20</ct:quota>\n</domain>\n";
        const Snapshot s = { (char *) "first", (char *) "before <update> & \"more\"\nsecond line",
                             UINT64_C(1700000000) * 1000000, SNAPSHOT_RUNNING,
                             (char *) definition };
        _cleanup_snapshot_ Snapshot back = { 0 };
        _cleanup_free_ char *text = NULL, *second = NULL;

        assert_ok(snapshot_format(&s, &text, err));
        assert_non_null(strstr(text, "<domainsnapshot>\n  <name>first</name>\n"));
        assert_non_null(strstr(text, "<creationTime>1700000000</creationTime>"));
        assert_ok(snapshot_parse(text, strlen(text), "x.xml", &back, err));
        assert_string_equal(back.name, s.name);
        assert_string_equal(back.description, s.description);
        assert_true(back.created_usec == s.created_usec);
        assert_int_equal(back.state, SNAPSHOT_RUNNING);
        assert_non_null(strstr(back.definition, " type=\"nspawn\">\n  <name>web"));
        assert_non_null(strstr(back.definition, "<ct:quota unit=\"GiB\">20</ct:quota>"));
        assert_null(strstr(back.definition, "<?xml"));

        /* What was read is written as it was. */
        assert_ok(snapshot_format(&back, &second, err));
        assert_string_equal(second, text);
}

static void test_bad_documents(void **state) {
        static const struct {
                const char *xml, *words;
                int code;
        } bad[] = {
                { "<domainsnapshot/>", "missing element <name>", EINVAL },
                { "<domain/>", "expecting <domainsnapshot>", EINVAL },
                { "<domainsnapshot><name>../x</name></domainsnapshot>", "name of a snapshot",
                  EINVAL },
                { "<domainsnapshot><name>x</name><state>gone</state></domainsnapshot>",
                  "running or shutoff", EINVAL },
                { "<domainsnapshot><name>x</name><creationTime>-1</creationTime></domainsnapshot>",
                  "seconds since", EINVAL },
                { "<domainsnapshot><name>x</name><creationTime>18446744073709551615</creationTime>"
                  "</domainsnapshot>",
                  "seconds since", EINVAL },
                { "<!DOCTYPE x [<!ENTITY a 'b'>]><domainsnapshot><name>x</name></domainsnapshot>",
                  "DOCTYPE", EINVAL },
                { "<domainsnapshot><name>x</name>", "", EBADMSG },
        };
        Snapshot s = { .name = (char *) "x" };
        char *text;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_refused(snapshot_parse(bad[i].xml, strlen(bad[i].xml), "x.xml", &s, err),
                               bad[i].code, bad[i].words);

        s.description = (char *) "\001";
        assert_true(snapshot_format(&s, &text, NULL) < 0);
        s.description = NULL;
        s.definition = (char *) "<network/>";
        assert_refused(snapshot_format(&s, &text, err), EINVAL, "not a <domain>");
}

static void test_story(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        _cleanup_snapshot_list_ SnapshotList l = { 0 };
        _cleanup_snapshot_ Snapshot back = { 0 };
        const Snapshot first = { .name = (char *) "first",
                                 .description = (char *) "before",
                                 .state = SNAPSHOT_SHUTOFF,
                                 .definition = (char *) "<domain><name>web</name></domain>" },
                       second = { .name = (char *) "a-second", .created_usec = UINT64_MAX / 2 };

        assert_int_equal(snapshot_list(f.pool, "web", &l), 0);
        assert_int_equal(l.n_items, 0);
        assert_ok(snapshot_create(f.pool, "web", &first, "job", NULL, err));
        run("echo second >%s/web/etc/content", f.pool->path);
        assert_ok(snapshot_create(f.pool, "web", &second, "job", NULL, err));
        run("echo third >%s/web/etc/content", f.pool->path);

        assert_int_equal(snapshot_list(f.pool, "web", &l), 0);
        assert_int_equal(l.n_items, 2);
        assert_string_equal(l.items[0].name, "first");
        assert_string_equal(l.items[1].name, "a-second");
        assert_true(l.items[0].created_usec > UINT64_C(1000000000) * 1000000);
        assert_ok(snapshot_get(f.pool, "web", "first", &back, err));
        assert_string_equal(back.description, "before");
        assert_string_equal(back.definition, "<domain><name>web</name></domain>");
        assert_content(&f, ".ctvirt/snapshots/web/first", "first");

        assert_ok(snapshot_revert(f.pool, "web", "first", "job", false, NULL, err));
        assert_content(&f, "web", "first");
        run("test \"$(cat %s/.ctvirt/trash/*/etc/content)\" = third", f.pool->path);
        run("echo fourth >%s/web/etc/content", f.pool->path);
        assert_content(&f, ".ctvirt/snapshots/web/first", "first");

        /* A container that was deleted comes back. */
        assert_ok(volume_delete(f.pool, "web", "job", err));
        assert_ok(snapshot_revert(f.pool, "web", "a-second", "job", false, NULL, err));
        assert_content(&f, "web", "second");

        assert_ok(snapshot_delete(f.pool, "web", "first", "job", err));
        assert_refused(snapshot_get(f.pool, "web", "first", &back, err), ENOENT,
                       "no snapshot 'first'");
        assert_refused(snapshot_revert(f.pool, "web", "first", "job", false, NULL, err), ENOENT,
                       "no snapshot 'first'");
        assert_ok(snapshot_delete_all(f.pool, "web", "job", err));
        assert_ok(snapshot_delete_all(f.pool, "web", "job", err));
        run("test -z \"$(ls -A %s/.ctvirt/snapshots)\"", f.pool->path);
        assert_ok(pool_clean(f.pool, NULL, NULL, NULL, NULL, err));
        run("test -z \"$(ls -A %s/.ctvirt/trash %s/.ctvirt/new | grep -v :)\"", f.pool->path,
            f.pool->path);
        assert_content(&f, "web", "second");
}

static void test_snapshot_is_read_only(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        const Snapshot s = { .name = (char *) "s" };

        assert_ok(snapshot_create(f.pool, "web", &s, "job", NULL, err));
        run("! touch %s/.ctvirt/snapshots/web/s/new 2>/dev/null", f.pool->path);
        assert_ok(snapshot_revert(f.pool, "web", "s", "job", false, NULL, err));
        run("touch %s/web/new %s/web/etc/new", f.pool->path, f.pool->path);
}

static void test_refused(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        Snapshot s = { .name = (char *) "s" }, back;

        assert_ok(snapshot_create(f.pool, "web", &s, "job", NULL, err));
        assert_refused(snapshot_create(f.pool, "web", &s, "job", NULL, err), EEXIST,
                       "a snapshot 's' already");
        assert_refused(snapshot_create(f.pool, "none", &s, "job", NULL, err), ENOENT,
                       "no volume 'none'");
        assert_refused(snapshot_get(f.pool, "none", "s", &back, err), ENOENT, "no snapshots");
        assert_refused(snapshot_get(f.pool, "../web", "s", &back, err), EINVAL, "volume");
        assert_refused(snapshot_get(f.pool, "web", "../s", &back, err), EINVAL, "of a snapshot");
        assert_refused(snapshot_delete(f.pool, "web", "s/etc", "job", err), EINVAL,
                       "of a snapshot");
        s.name = (char *) "..";
        assert_refused(snapshot_create(f.pool, "web", &s, "job", NULL, err), EINVAL,
                       "of a snapshot");

        /* A document that says nothing, or belongs to another. */
        run("cd %s/.ctvirt/snapshots/web && cp s.xml t.xml && mkdir t u && echo x >u.xml",
            f.pool->path);
        assert_refused(snapshot_get(f.pool, "web", "t", &back, err), EBADMSG, "of snapshot 's'");
        assert_refused(snapshot_get(f.pool, "web", "u", &back, err), EBADMSG, "Start tag");
        {
                _cleanup_snapshot_list_ SnapshotList l = { 0 };

                assert_int_equal(snapshot_list(f.pool, "web", &l), 0);
                assert_int_equal(l.n_items, 1);
        }

        /* Nobody leads us away. */
        run("cd %s/.ctvirt/snapshots && mkdir %s/elsewhere && ln -s %s/elsewhere db && mkdir "
            "%s/db",
            f.pool->path, f.root, f.root, f.pool->path);
        s.name = (char *) "s";
        assert_refused(snapshot_create(f.pool, "db", &s, "job", NULL, err), ELOOP, "snapshots/db");
        run("test -z \"$(ls -A %s/elsewhere)\"", f.root);
}

static void test_image(void **state) {
        _cleanup_fixture_ Fixture f = fixture_new();
        const Snapshot s = { .name = (char *) "s" };

        run("cd %s && printf one >disk.raw && truncate -s 50M disk.raw", f.pool->path);
        assert_ok(snapshot_create(f.pool, "disk", &s, "job", NULL, err));
        run("cd %s && printf two >disk.raw", f.pool->path);
        assert_ok(snapshot_revert(f.pool, "disk", "s", "job", false, NULL, err));
        run("cd %s && test \"$(head -c 3 disk.raw)\" = one && test $(stat -c %%s disk.raw) = "
            "52428800",
            f.pool->path);
        assert_ok(snapshot_delete(f.pool, "disk", "s", "job", err));
        assert_ok(pool_clean(f.pool, NULL, NULL, NULL, NULL, err));
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_bad_documents),
        cmocka_unit_test(test_story),
        cmocka_unit_test(test_snapshot_is_read_only),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_image),
};

int main(void) {
        int failed;

        enter_mount_namespace();
        failed = cmocka_run_group_tests_name("btrfs", tests, setup_btrfs, filesystem_teardown);
        failed += cmocka_run_group_tests_name("ext4", tests, setup_ext4, filesystem_teardown);
        return failed;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The definition that a revert brings back: what stays, what is refused, and that it follows the root
 * and nothing else, whenever the agent looks.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/pool/pool_intent.h"
#include "agent/pool/volume_place.h"
#include "agent/reconcile.h"
#include "agent/revert.h"
#include "agent_fixture.h"

#define UUID "11111111-2222-4333-8444-555555555555"
#define ID "0123abcd"
#define WEB "<domain type='nspawn'><name>web</name><uuid>" UUID "</uuid>"
#define NIC(mac)                                                                                   \
        "<interface type='network'><mac address='" mac "'/><source network='default'/></interface>"

typedef struct Fixture {
        char *root;
        Manager m;
        Pool *pool;
} Fixture;

static void set_up(Fixture *f) {
        _cleanup_error_ Error *err = NULL;

        *f = (Fixture){ .root = temp_root_new() };
        fixture_init(&f->m, f->root);
        TAILQ_INIT(&f->m.jobs.list);
        assert_int_equal(pool_open(f->root, &f->pool, &err), 0);
        assert_int_equal(mkdirat(f->pool->fd, "web", 0755), 0);
        assert_int_equal(mkdirat(f->pool->fd, "other", 0755), 0);
        fixture_defined(&f->m, WEB "<title>now</title><devices>" NIC(
                                       "52:54:00:00:00:01") "</devices></domain>");
}

static void tear_down(Fixture *f) {
        pool_free(f->pool);
        fixture_done(&f->m);
        temp_root_free(f->root);
}
#define _cleanup_revert_ _cleanup_(tear_down)

/* A snapshot "s1" with this definition in its document. */
static void make_snapshot(const Fixture *f, const char *definition) {
        const Snapshot s = { .name = (char *) "s1",
                             .created_usec = 1000000,
                             .definition = (char *) definition };
        _cleanup_free_ char *xml = NULL;

        assert_int_equal(snapshot_format(&s, &xml, NULL), 0);
        temp_root_write(f->root, POOL_PATH "/" POOL_SNAPSHOTS "/web/s1/etc/hostname", "web\n");
        temp_root_write(f->root, POOL_PATH "/" POOL_SNAPSHOTS "/web/s1.xml", xml);
}

/* The note of a job that was to make this tree the root of web. */
static void make_note(const Fixture *f, const char *tree) {
        PoolIntent i = { .kind = POOL_INTENT_REVERT,
                         .name = (char *) "web",
                         .snapshot = (char *) "s1" };

        assert_int_equal(volume_identity(f->pool, f->pool->fd, tree, &i.tree, NULL), 0);
        assert_int_equal(pool_intent_save(f->pool, ID, &i, NULL), 0);
        free(i.tree);
}

static bool has_note(const Fixture *f) {
        return fixture_exists(&f->m, POOL_PATH "/" POOL_INTENTS "/" ID);
}

static const ContainerDef *web(const Fixture *f) {
        return container_table_by_name(&f->m.containers, "web")->def;
}

static void test_definition_follows(void **state) {
        uint8_t first[ETH_ALEN] = { 0x52, 0x54, 0, 0, 0, 1 };
        uint8_t second[ETH_ALEN] = { 0x52, 0x54, 0, 0, 0, 9 };
        char uuid[UUID_STRING_MAX];
        _cleanup_revert_ Fixture f;
        IdMapDef ids;

        set_up(&f);
        ids = web(&f)->idmap;
        /* Its identity of another time: UUID, MAC address and ids were others, and so was the name. */
        make_snapshot(&f,
                      "<domain type='nspawn'><name>www</name>"
                      "<uuid>99999999-2222-4333-8444-555555555555</uuid><title>then</title>"
                      "<idmap><uid start='0' target='720896' count='65536'/>"
                      "<gid start='0' target='720896' count='65536'/></idmap><devices>" NIC(
                              "52:54:00:00:00:08") NIC("52:54:00:00:00:09") "</devices></domain>");
        make_note(&f, "web");
        revert_recover(&f.m);
        assert_string_equal(web(&f)->title, "then");
        assert_string_equal(uuid_to_string(&web(&f)->uuid, uuid), UUID);
        assert_int_equal(web(&f)->idmap.base, ids.base);
        assert_int_equal(web(&f)->n_interfaces, 2);
        assert_memory_equal(web(&f)->interfaces[0].mac, first, ETH_ALEN);
        assert_memory_equal(web(&f)->interfaces[1].mac, second, ETH_ALEN);
        assert_false(has_note(&f));
        assert_null(container_table_by_name(&f.m.containers, "www"));

        fixture_restart(&f.m);
        TAILQ_INIT(&f.m.jobs.list);
        assert_true(reconcile_definitions(&f.m) >= 0);
        assert_string_equal(web(&f)->title, "then");
}

/* The crash was before the root was exchanged. */
static void test_root_was_not_exchanged(void **state) {
        _cleanup_revert_ Fixture f;

        set_up(&f);
        make_snapshot(&f, WEB "<title>then</title></domain>");
        make_note(&f, "other");
        revert_recover(&f.m);
        assert_string_equal(web(&f)->title, "now");
        assert_false(has_note(&f));
}

/* While its job is at work the note is the job's. */
static void test_job_is_at_work(void **state) {
        JobSpec *spec = calloc(1, sizeof(*spec));
        _cleanup_revert_ Fixture f;
        Job *job;

        set_up(&f);
        make_snapshot(&f, WEB "<title>then</title></domain>");
        make_note(&f, "web");
        assert_non_null(spec);
        spec->id = strdup(ID);
        spec->kind = JOB_SNAPSHOT_REVERT;
        assert_int_equal(job_new(&f.m, spec, &job), 0);
        revert_recover(&f.m);
        assert_true(has_note(&f));
        assert_string_equal(web(&f)->title, "now");
        assert_int_equal(revert_finish(&f.m, ID, NULL), 0);
        assert_string_equal(web(&f)->title, "then");
        job_table_done(&f.m.jobs);
}

/* As a new container, after what had the name was undefined. */
static bool define_warns_of_snapshots(Fixture *f, const char *xml) {
        Container *old = container_table_by_name(&f->m.containers, "web");
        _cleanup_define_result_ DefineResult result = { 0 };

        assert_int_equal(undefine_commit(&f->m, old, NULL), 0);
        assert_null(fixture_define(&f->m, xml, &result));
        STRV_FOREACH(warning, result.warnings)
                if (strstr(*warning, "snapshots of 'web'"))
                        return true;
        return false;
}

static void test_define_tells_of_others_snapshots(void **state) {
        const char *same = FIXTURE_XML("web", "<uuid>" UUID "</uuid>");
        const char *another = FIXTURE_XML("web", "");
        _cleanup_revert_ Fixture f;

        set_up(&f);
        assert_false(define_warns_of_snapshots(&f, another));
        make_snapshot(&f, WEB "</domain>");
        assert_true(define_warns_of_snapshots(&f, another));
        assert_false(define_warns_of_snapshots(&f, same));
        make_snapshot(&f, "<domain type='nspawn'/>");
        assert_false(define_warns_of_snapshots(&f, another));
}

static void assert_refused(Fixture *f, const char *definition, const char *words) {
        const Snapshot s = { .name = (char *) "s1", .definition = (char *) definition };
        const Container *c = container_table_by_name(&f->m.containers, "web");
        _cleanup_error_ Error *err = NULL;

        assert_true(revert_check(&f->m, c, &s, &err) < 0);
        assert_non_null(err);
        if (!strstr(err->text, words) || !strstr(err->text, "--keep-definition"))
                fail_msg("%s", err->text);
}

static void test_damaged(void **state) {
        _cleanup_error_ Error *err = NULL;
        _cleanup_revert_ Fixture f;

        set_up(&f);
        assert_refused(&f, NULL, "no definition");
        assert_refused(&f, "<domain", "cannot be had back");
        assert_refused(&f, "<domain type='nspawn'><name>../x</name></domain>",
                       "cannot be had back");
        assert_refused(&f, "<domain type='kvm'><name>web</name></domain>", "cannot be had back");
        assert_refused(&f,
                       WEB "<devices>" NIC("52:54:00:00:00:07") NIC("52:54:00:00:00:06")
                               NIC("52:54:00:00:00:06") "</devices></domain>",
                       "cannot be had back");

        /* Damaged after it was looked at, by a power cut: all is as it was, and it is said. */
        make_snapshot(&f, WEB "<title>then</title></domain>");
        temp_root_write(f.root, POOL_PATH "/" POOL_SNAPSHOTS "/web/s1.xml", "\x01\x02 garbage");
        make_note(&f, "web");
        assert_true(revert_finish(&f.m, ID, &err) < 0);
        assert_non_null(err);
        assert_string_equal(web(&f)->title, "now");
        assert_false(has_note(&f));

        /* So is the note. */
        temp_root_write(f.root, POOL_PATH "/" POOL_INTENTS "/" ID, "KIND=revert\nNAME=../web\n");
        revert_recover(&f.m);
        assert_string_equal(web(&f)->title, "now");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition_follows),
        cmocka_unit_test(test_root_was_not_exchanged),
        cmocka_unit_test(test_job_is_at_work),
        cmocka_unit_test(test_define_tells_of_others_snapshots),
        cmocka_unit_test(test_damaged),
};

int main(void) {
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the agent takes over from the file of a job that made a root: how an image's program is run,
 * and nothing else.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/job_after.h"
#include "agent_fixture.h"

#define UUID "11111111-2222-4333-8444-555555555555"
#define OTHER_UUID "99999999-2222-4333-8444-555555555555"
#define ID "0123abcd"

typedef struct Fixture {
        char *root;
        Manager m;
        Job job;
        JobState state;
        char *text; /* what the job says in the end */
} Fixture;

static void set_up(Fixture *f) {
        JobSpec *spec = calloc(1, sizeof(*spec));

        *f = (Fixture){ .root = temp_root_new() };
        fixture_init(&f->m, f->root);
        f->m.jobs.fd = open(f->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(f->m.jobs.fd >= 0);
        fixture_defined(&f->m, "<domain type='nspawn'><name>web</name><uuid>" UUID "</uuid>"
                               "<title>ours</title>"
                               "<os><initenv name='SECRET'>s</initenv></os></domain>");
        assert_non_null(spec);
        spec->kind = JOB_BOOTSTRAP;
        spec->id = strdup(ID);
        spec->name = strdup("web");
        f->job = (Job){ .manager = &f->m, .spec = spec };
}

static void tear_down(Fixture *f) {
        job_spec_free(f->job.spec);
        closep(&f->m.jobs.fd);
        fixture_done(&f->m);
        temp_root_free(f->root);
        free(f->text);
}
#define _cleanup_job_ _cleanup_(tear_down)

/* What the job has written; NULL: nothing. */
static void end(Fixture *f, const char *xml) {
        if (xml)
                temp_root_write(f->root, "/" ID "/definition.xml", xml);
        f->state = JOB_STATE_DONE;
        job_after(&f->job, &f->state, &f->text);
}

static const ContainerDef *web(const Fixture *f) {
        return container_table_by_name(&f->m.containers, "web")->def;
}

#define RESULT(uuid, more)                                                                         \
        "<domain type='nspawn'><name>web</name><uuid>" uuid "</uuid>" more "</domain>"
#define PROGRAM                                                                                    \
        "<os><init>/usr/bin/run</init><initarg>a</initarg><initenv name='SECRET'>other</initenv>"  \
        "<initenv name='A'>1</initenv><initdir>/srv</initdir><inituser>web</inituser></os>"

static void test_program_is_taken_over(void **state) {
        _cleanup_free_ char *xml = NULL, *nspawn = NULL;
        _cleanup_job_ Fixture f;

        set_up(&f);
        end(&f, RESULT(UUID, PROGRAM));
        assert_int_equal(f.state, JOB_STATE_DONE);
        assert_null(f.text);
        assert_string_equal(web(&f)->init, "/usr/bin/run");
        assert_string_equal(web(&f)->initdir, "/srv");
        assert_int_equal(web(&f)->n_environment, 2);
        assert_string_equal(web(&f)->environment[0].value, "s");

        xml = temp_root_read(f.root, "/etc/ctvirt/containers/web.xml");
        assert_non_null(strstr(xml, "<init>/usr/bin/run</init>"));
        assert_non_null(strstr(xml, "<initenv name='SECRET'>s</initenv>"));
        nspawn = temp_root_read(f.root, "/etc/systemd/nspawn/web.nspawn");
        assert_non_null(strstr(nspawn, "\nParameters=/usr/bin/run a\n"));
        assert_non_null(strstr(nspawn, "\nUser=web\n"));
        assert_non_null(strstr(nspawn, "\nWorkingDirectory=/srv\n"));

        /* The agent that died before it noted the end does it again. */
        end(&f, NULL);
        assert_int_equal(f.state, JOB_STATE_DONE);
        assert_int_equal(web(&f)->n_environment, 2);
}

/* What a job says beside that has no effect. */
static void test_nothing_else_is(void **state) {
        _cleanup_(container_def_freep) ContainerDef *before = NULL;
        _cleanup_job_ Fixture f;

        set_up(&f);
        before = container_def_copy(web(&f));
        end(&f, RESULT(UUID, "<title>theirs</title><memory>4096</memory><devices>"
                             "<filesystem type='mount'><source dir='/etc'/><target dir='/host'/>"
                             "</filesystem></devices>"));
        assert_int_equal(f.state, JOB_STATE_DONE);
        assert_true(container_def_equal(web(&f), before));
}

/* What was changed while the job ran stays. */
static void test_changed_meanwhile(void **state) {
        _cleanup_job_ Fixture f;

        set_up(&f);
        fixture_defined(&f.m, RESULT(UUID, "<title>new</title><os><init>/own</init></os>"));
        end(&f, RESULT(UUID, "<title>ours</title>" PROGRAM));
        assert_int_equal(f.state, JOB_STATE_DONE);
        assert_string_equal(web(&f)->title, "new");
        assert_string_equal(web(&f)->init, "/own");
        assert_null(web(&f)->initargs);
        assert_string_equal(web(&f)->inituser, "web");
}

static const struct {
        const char *xml, *sentence;
} refused[] = {
        { RESULT(OTHER_UUID, PROGRAM), "defined anew meanwhile" },
        { "<domain type='nspawn'><name>db</name><uuid>" UUID "</uuid></domain>",
          "defined anew meanwhile" },
        { "<domain type='nspawn'><name>web</name></domain>", "defined anew meanwhile" },
        { RESULT(UUID, "<os><init>relative</init></os>"), "definition.xml of the job:1" },
        { "<!DOCTYPE domain [<!ENTITY a 'b'>]>" RESULT(UUID, PROGRAM),
          "definition.xml of the job" },
        { "", "definition.xml of the job" },
};

static void test_refused(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                _cleanup_(container_def_freep) ContainerDef *before = NULL;
                _cleanup_job_ Fixture f;

                print_message("%zu\n", i);
                set_up(&f);
                before = container_def_copy(web(&f));
                end(&f, refused[i].xml);
                assert_int_equal(f.state, JOB_STATE_FAILED);
                assert_non_null(strstr(f.text, "its root is in the pool as volume 'web'"));
                if (!strstr(f.text, refused[i].sentence))
                        fail_msg("%s", f.text);
                assert_true(container_def_equal(web(&f), before));
        }
}

static void test_undefined_meanwhile(void **state) {
        _cleanup_job_ Fixture f;
        Container *c;

        set_up(&f);
        c = container_table_by_name(&f.m.containers, "web");
        assert_int_equal(undefine_commit(&f.m, c, NULL), 0);
        end(&f, RESULT(UUID, PROGRAM));
        assert_int_equal(f.state, JOB_STATE_DONE);
        assert_null(container_table_by_name(&f.m.containers, "web")->def);
}

/*
 * A root that is to become a container
 */

static bool has_volume(const Fixture *f, const char *name) {
        _cleanup_free_ char *path = NULL;

        assert_true(asprintf(&path, "%s/var/lib/machines/%s/etc", f->root, name) > 0);
        return access(path, F_OK) >= 0;
}

/* An import as volume "db", and what it was in the bundle. */
static void end_import(Fixture *f, const char *xml) {
        f->job.spec->kind = JOB_IMPORT;
        f->job.spec->flags = JOB_DEFINE | JOB_MOVED;
        free(f->job.spec->name);
        f->job.spec->name = strdup("db");
        temp_root_write(f->root, "/var/lib/machines/db/etc/rc", "");
        end(f, xml);
}

#define IMPORT(uuid) "<domain type='nspawn'><name>db</name><uuid>" uuid "</uuid></domain>"

static void test_import(void **state) {
        _cleanup_job_ Fixture f;

        set_up(&f);
        end_import(&f, IMPORT(OTHER_UUID));
        assert_int_equal(f.state, JOB_STATE_DONE);
        assert_non_null(container_table_by_name(&f.m.containers, "db")->def);
        assert_true(has_volume(&f, "db"));
}

/* What has taken its UUID meanwhile is found at the end only: nothing of it stays. */
static void test_import_in_vain(void **state) {
        _cleanup_job_ Fixture f;
        const Container *c;

        set_up(&f);
        end_import(&f, IMPORT(UUID));
        assert_int_equal(f.state, JOB_STATE_FAILED);
        if (!strstr(f.text, "'db' could not be defined, and its root has been taken away again") ||
            !strstr(f.text, "'web' already has the uuid"))
                fail_msg("%s", f.text);
        c = container_table_by_name(&f.m.containers, "db");
        assert_true(!c || !c->def);
        assert_false(has_volume(&f, "db"));
}

/* It is the root of a container that somebody else has defined meanwhile. */
static void test_import_overtaken(void **state) {
        _cleanup_job_ Fixture f;

        set_up(&f);
        fixture_defined(&f.m, IMPORT(OTHER_UUID));
        end_import(&f, IMPORT(UUID));
        assert_int_equal(f.state, JOB_STATE_FAILED);
        assert_non_null(strstr(f.text, "its root is in the pool as volume 'db'"));
        assert_true(has_volume(&f, "db"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_program_is_taken_over),
                cmocka_unit_test(test_nothing_else_is),
                cmocka_unit_test(test_changed_meanwhile),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_undefined_meanwhile),
                cmocka_unit_test(test_import),
                cmocka_unit_test(test_import_in_vain),
                cmocka_unit_test(test_import_overtaken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

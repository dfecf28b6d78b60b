/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The agent's start on a host where its last life ended anywhere: each half state that a crash, or
 * a person, can leave.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/container_refresh.h"
#include "agent/reconcile.h"
#include "agent_fixture.h"

#define XML_FILE "/etc/ctvirt/containers/web.xml"
#define NSPAWN_FILE "/etc/systemd/nspawn/web.nspawn"
#define DROP_IN "/etc/systemd/system/systemd-nspawn@web.service.d/50-ctvirt.conf"
#define WANTS "/etc/systemd/system/machines.target.wants/systemd-nspawn@web.service"
#define TEMPLATE "/usr/lib/systemd/system/systemd-nspawn@.service"

static Container *web(const Manager *m) {
        return container_table_by_name(&m->containers, "web");
}

static void test_nothing_to_do(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        fixture_restart(&m);
        assert_int_equal(reconcile_definitions(&m), 0);
        assert_non_null(web(&m)->def);
        assert_null(m.orphans);
}

/* Killed after the commit point of a definition. */
static void test_files_are_missing(void **state) {
        static const char *const files[] = { NSPAWN_FILE, DROP_IN };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_root_ char *root = temp_root_new();
                _cleanup_fixture_ Manager m;

                fixture_init(&m, root);
                fixture_defined(&m, FIXTURE_XML("web", ""));
                if (!fixture_exists(&m, files[i]))
                        continue;
                fixture_remove(&m, files[i]);
                fixture_restart(&m);
                assert_int_equal(reconcile_definitions(&m), 1);
                assert_true(fixture_exists(&m, files[i]));
        }
}

/* Killed after the commit point of a redefinition: the files are those of the old one. */
static void test_files_are_old(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *old = NULL, *new = NULL;
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        old = temp_root_read(root, NSPAWN_FILE);
        fixture_network(&m, "default", "virbr5");
        fixture_defined(&m, FIXTURE_XML("web", ""));
        temp_root_write(root, NSPAWN_FILE, old);

        fixture_restart(&m);
        fixture_network(&m, "default", "virbr5");
        assert_int_equal(reconcile_definitions(&m), 1);
        new = temp_root_read(root, NSPAWN_FILE);
        assert_non_null(strstr(new, "Bridge=virbr5"));
}

static void test_temporary_files(void **state) {
        static const char *const ours[] = {
                "/etc/ctvirt/containers/.#web.xml.0123456789abcdef",
                "/etc/systemd/nspawn/.#web.nspawn.0123456789abcdef",
                "/etc/systemd/system/systemd-nspawn@web.service.d/.#50-ctvirt.conf.0123456789abcdef",
        };
        static const char *const others[] = {
                "/etc/systemd/nspawn/.#web.nspawn",
                "/etc/systemd/nspawn/.#note.0123456789abcdef",
                "/etc/systemd/system/systemd-nspawn@web.service.d/.#override.conf1f2e3d",
        };
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        for (size_t i = 0; i < ELEMENTSOF(ours); i++)
                temp_root_write(root, ours[i], "half");
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                temp_root_write(root, others[i], "somebody's");

        assert_int_equal(reconcile_definitions(&m), 0);
        for (size_t i = 0; i < ELEMENTSOF(ours); i++)
                assert_false(fixture_exists(&m, ours[i]));
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_true(fixture_exists(&m, others[i]));
        assert_int_equal(m.containers.n_items, 0);
}

/* Killed after the commit point of an undefine; the unit was not enabled. */
static void test_half_undefined(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        fixture_remove(&m, XML_FILE);
        fixture_restart(&m);
        assert_true(reconcile_definitions(&m) >= 0);
        assert_true(m.reload_wanted);
        assert_false(fixture_exists(&m, NSPAWN_FILE));
        assert_false(fixture_exists(&m, DROP_IN));
        assert_null(m.orphans);
}

/* The files stay until systemd has disabled the unit, so that the next life would go on with it. */
static void test_half_undefined_and_enabled(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        temp_root_write(root, TEMPLATE, "[Service]\nExecStart=systemd-nspawn --machine=%i\n");
        fixture_defined(&m, FIXTURE_XML("web", ""));
        temp_root_link(root, WANTS, TEMPLATE);
        fixture_remove(&m, XML_FILE);
        fixture_restart(&m);
        assert_true(reconcile_definitions(&m) >= 0);
        assert_int_equal(strv_length(m.orphans), 1);
        assert_string_equal(m.orphans[0], "web");
        assert_true(fixture_exists(&m, NSPAWN_FILE));
}

/* Undefined while it was removed: only the folder of the definitions tells nothing. */
static void test_no_folder(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *folder = text_format("%s/etc/ctvirt/containers", root);
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        fixture_remove(&m, XML_FILE);
        assert_int_equal(rmdir(folder), 0);
        fixture_restart(&m);
        assert_int_equal(reconcile_definitions(&m), 0);
        assert_true(fixture_exists(&m, NSPAWN_FILE));
        assert_null(m.orphans);
}

static void test_broken_definition(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *before = NULL, *after = NULL;
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        before = temp_root_read(root, NSPAWN_FILE);
        temp_root_write(root, XML_FILE, "<domain type='nspawn'>\n<name>web</nam");
        fixture_restart(&m);
        assert_int_equal(reconcile_definitions(&m), 0);

        assert_non_null(web(&m));
        assert_null(web(&m)->def);
        assert_true(container_is_defined(web(&m)));
        assert_non_null(strstr(web(&m)->problem, XML_FILE ":2"));
        after = temp_root_read(root, NSPAWN_FILE);
        assert_string_equal(before, after);
        assert_true(fixture_exists(&m, XML_FILE));

        /* It is mended by a redefinition, with the ids that the files have. */
        fixture_defined(&m, FIXTURE_XML("web", ""));
        free(after);
        after = temp_root_read(root, NSPAWN_FILE);
        assert_string_equal(before, after);
}

static void test_file_with_another_name(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        temp_root_write(root, XML_FILE, FIXTURE_XML("other", ""));
        assert_int_equal(reconcile_definitions(&m), 0);
        assert_non_null(strstr(web(&m)->problem, "'other'"));
        assert_null(container_table_by_name(&m.containers, "other"));
}

/* A file that a person put there gets what define would have given it. */
static void test_copied_definition(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *xml = NULL;
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        temp_root_write(root, XML_FILE, FIXTURE_XML("web", ""));
        assert_int_equal(reconcile_definitions(&m), 1);
        assert_true(web(&m)->def->has_uuid);
        assert_true(web(&m)->def->idmap.present);
        assert_true(fixture_exists(&m, NSPAWN_FILE));
        xml = temp_root_read(root, XML_FILE);
        assert_non_null(strstr(xml, "<uuid>"));
}

/* SIGHUP after a file was edited, and after it was removed. */
static void test_edited_definition(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;
        Uuid uuid;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        uuid = web(&m)->def->uuid;
        temp_root_write(root, XML_FILE, FIXTURE_XML("web", "<title>edited</title>"));
        assert_true(reconcile_definitions(&m) >= 0);
        assert_string_equal(web(&m)->def->title, "edited");
        assert_true(uuid_equal(&web(&m)->def->uuid, &uuid));

        fixture_remove(&m, XML_FILE);
        assert_true(reconcile_definitions(&m) >= 0);
        assert_null(web(&m));
        assert_false(fixture_exists(&m, NSPAWN_FILE));
}

/* web's file as copies of it, with other names. */
static void copy_definition(const Manager *m, const char *name) {
        _cleanup_free_ char *xml = temp_root_read(m->root, XML_FILE), *path = NULL;
        _cleanup_free_ char *copy = NULL;
        const char *old;

        path = text_format("/etc/ctvirt/containers/%s.xml", name);
        old = strstr(xml, "<name>web</name>");
        assert_non_null(old);
        copy = text_format("%.*s<name>%s</name>%s", (int) (old - xml), xml, name,
                           old + strlen("<name>web</name>"));
        temp_root_write(m->root, path, copy);
}

static void remove_tag(const Manager *m, const char *path, const char *begin, const char *end) {
        _cleanup_free_ char *xml = temp_root_read(m->root, path);
        char *from = strstr(xml, begin), *to = from ? strstr(from, end) : NULL;

        assert_non_null(to);
        to += strlen(end);
        memmove(from, to, strlen(to) + 1);
        temp_root_write(m->root, path, xml);
}

static void write_definition(const Manager *m, const char *name, const char *body) {
        _cleanup_free_ char *path = text_format("/etc/ctvirt/containers/%s.xml", name);
        _cleanup_free_ char *xml = text_format("<domain type='nspawn'><name>%s</name>"
                                               "<os><type>exe</type></os><devices>%s</devices>"
                                               "</domain>",
                                               name, body);

        temp_root_write(m->root, path, xml);
}

static void assert_problem(const Manager *m, const char *name, const char *pattern) {
        const Container *c = container_table_by_name(&m->containers, name);
        _cleanup_free_ char *nspawn = text_format("/etc/systemd/nspawn/%s.nspawn", name);

        assert_non_null(c);
        assert_null(c->def);
        assert_non_null(c->problem);
        if (!strstr(c->problem, pattern))
                fail_msg("\"%s\" does not say \"%s\"", c->problem, pattern);
        assert_false(fixture_exists(m, nspawn));
}

#define INTERFACE(more) "<interface type='network'><source network='default'/>" more "</interface>"
#define MAC "<mac address='52:54:00:00:00:01'/>"
#define ROOT(path) "<filesystem type='mount'><source dir='" path "'/><target dir='/'/></filesystem>"

/* What define would have refused. */
static void test_conflicts(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        fixture_defined(&m, FIXTURE_XML("web", ""));
        fixture_restart(&m);
        write_definition(&m, "first", ROOT("/srv/tree") INTERFACE(MAC));
        write_definition(&m, "same", ROOT("/srv/tree") INTERFACE(""));
        write_definition(&m, "inside", ROOT("/var/lib/machines/web/sub") INTERFACE(""));
        write_definition(&m, "twins", INTERFACE(MAC) INTERFACE(MAC));
        write_definition(&m, "warned", INTERFACE(MAC));
        assert_true(reconcile_definitions(&m) >= 0);
        assert_non_null(web(&m)->def);
        assert_non_null(container_table_by_name(&m.containers, "first")->def);
        assert_problem(&m, "same", "container 'first' has '");
        assert_problem(&m, "inside", "container 'web' has '");
        assert_problem(&m, "twins", "twins.xml:1: another interface of this container");
        /* As with define. */
        assert_non_null(container_table_by_name(&m.containers, "warned")->def);

        /* What was wrong is put right. */
        write_definition(&m, "same", ROOT("/srv/other") INTERFACE(""));
        assert_true(reconcile_definitions(&m) >= 0);
        assert_non_null(container_table_by_name(&m.containers, "same")->def);
}

/* The copies stand before and behind it by name; the one that was there before keeps what is its
 * own, at a start as well as on SIGHUP. */
static void test_same_identity(void **state) {
        static const char *const copies[] = { "a-copy", "z-copy" };

        for (unsigned restart = 0; restart < 2; restart++) {
                _cleanup_root_ char *root = temp_root_new();
                _cleanup_fixture_ Manager m;

                fixture_init(&m, root);
                fixture_defined(&m, FIXTURE_XML("web", ""));
                for (size_t i = 0; i < ELEMENTSOF(copies); i++)
                        copy_definition(&m, copies[i]);
                if (restart)
                        fixture_restart(&m);
                assert_int_equal(reconcile_definitions(&m), 0);
                assert_non_null(web(&m)->def);
                for (size_t i = 0; i < ELEMENTSOF(copies); i++) {
                        const Container *c = container_table_by_name(&m.containers, copies[i]);

                        assert_null(c->def);
                        assert_non_null(strstr(c->problem, copies[i]));
                        assert_non_null(strstr(c->problem, "container 'web' already has the uuid"));
                }
                assert_false(fixture_exists(&m, "/etc/systemd/nspawn/a-copy.nspawn"));

                /* What was wrong is put right. */
                for (size_t i = 0; i < ELEMENTSOF(copies); i++) {
                        _cleanup_free_ char *path =
                                text_format("/etc/ctvirt/containers/%s.xml", copies[i]);

                        remove_tag(&m, path, "<uuid>", "</uuid>");
                }
                assert_int_equal(reconcile_definitions(&m), 0);
                assert_non_null(strstr(container_table_by_name(&m.containers, "a-copy")->problem,
                                       "belong to container 'web' already"));
                for (size_t i = 0; i < ELEMENTSOF(copies); i++) {
                        _cleanup_free_ char *path =
                                text_format("/etc/ctvirt/containers/%s.xml", copies[i]);

                        remove_tag(&m, path, "<idmap>", "</idmap>");
                }
                assert_int_equal(reconcile_definitions(&m), 1);
                assert_non_null(container_table_by_name(&m.containers, "a-copy")->def);
                assert_non_null(container_table_by_name(&m.containers, "z-copy")->def);
                assert_true(fixture_exists(&m, "/etc/systemd/nspawn/a-copy.nspawn"));
        }
}

static void test_foreign(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_fixture_ Manager m;

        fixture_init(&m, root);
        temp_root_write(root, TEMPLATE, "[Service]\nExecStart=systemd-nspawn --machine=%i\n");
        temp_root_write(root, NSPAWN_FILE, "[Network]\nBridge=br0\n");
        temp_root_link(root, WANTS, TEMPLATE);
        assert_int_equal(reconcile_definitions(&m), 0);
        assert_int_equal(container_refresh_all(&m), 1);
        assert_non_null(web(&m));
        assert_false(container_is_defined(web(&m)));
        assert_true(web(&m)->enabled);
        assert_string_equal(web(&m)->bridges[0], "br0");

        /* What was seen is no change. */
        assert_int_equal(container_refresh_all(&m), 0);
        temp_root_write(root, NSPAWN_FILE, "[Network]\nBridge=br1\n");
        assert_int_equal(container_refresh_all(&m), 1);

        /* Neither enabled nor alive: it is nobody's business any more. */
        fixture_remove(&m, WANTS);
        assert_true(container_refresh_all(&m) >= 0);
        assert_null(web(&m));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_to_do),
                cmocka_unit_test(test_files_are_missing),
                cmocka_unit_test(test_files_are_old),
                cmocka_unit_test(test_temporary_files),
                cmocka_unit_test(test_half_undefined),
                cmocka_unit_test(test_half_undefined_and_enabled),
                cmocka_unit_test(test_no_folder),
                cmocka_unit_test(test_broken_definition),
                cmocka_unit_test(test_file_with_another_name),
                cmocka_unit_test(test_copied_definition),
                cmocka_unit_test(test_edited_definition),
                cmocka_unit_test(test_conflicts),
                cmocka_unit_test(test_same_identity),
                cmocka_unit_test(test_foreign),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

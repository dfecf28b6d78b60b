/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The exact command lines and files with which each of our recipes is installed:
 * tests/golden/bootstrap. CTVIRT_UPDATE_GOLDEN=1 writes them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/bootstrap/source_apt.h"
#include "agent/bootstrap/source_dnf.h"
#include "temp_root.h"

#include "bootstrap_fixture.h"

static void compare(const char *name, const char *text) {
        _cleanup_free_ char *path = NULL, *wanted = NULL;

        path = text_format("%s/tests/golden/bootstrap/%s.txt", CTVIRT_SOURCE_DIR, name);
        assert_non_null(path);
        if (getenv("CTVIRT_UPDATE_GOLDEN"))
                assert_true(write_file_at(AT_FDCWD, path, text, strlen(text), 0644, 0) >= 0);
        assert_int_equal(read_file_at(AT_FDCWD, path, 65536, true, &wanted, NULL), 0);
        assert_string_equal(text, wanted);
}

static void put_arguments(FILE *f, char *const *arguments) {
        for (; *arguments; arguments++)
                (void) fprintf(f, "%s\n", *arguments);
}

static char *lines_of(const Fixture *f, const AptLines *lines,
                      int (*make)(const SourceJob *j, const AptLines *lines, char ***ret)) {
        _cleanup_strv_ char **arguments = NULL;
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        assert_non_null(file);
        assert_int_equal(make(&f->job, lines, &arguments), 0);
        put_arguments(file, arguments);
        fputs("\n# sources.list\n", file);
        for (size_t i = 0; i < lines->n_items; i++) {
                _cleanup_free_ char *line =
                        apt_line_format(&lines->items[i], false, lines->items[i].key);

                (void) fprintf(file, "%s\n", line);
        }
        assert_int_equal(fclose(file), 0);
        return text;
}

/* The keyrings of other distributions are not on every host. */
static void set_key(Fixture *f) {
        f->recipe->keys = strv_free(f->recipe->keys);
        assert_int_equal(strv_extend(&f->recipe->keys, "/dev/null"), 0);
        for (size_t i = 0; i < f->recipe->n_repositories; i++) {
                RecipeRepository *o = &f->recipe->repositories[i];

                if (o->keys) {
                        o->keys = strv_free(o->keys);
                        assert_int_equal(strv_extend(&o->keys, "/dev/zero"), 0);
                }
        }
}

static const InterfaceDef interface = { .source = (char *) "default" };

static void set_interface(Fixture *f) {
        f->def.interfaces = (InterfaceDef *) &interface;
        f->def.n_interfaces = 1;
}

static void test_apt(void **state) {
        static const struct {
                const char *name, *recipe, *release, *architecture;
                bool system;
        } rows[] = {
                { "debian", "debian", NULL, "amd64", true },
                { "debian-application", "debian", "trixie", "arm64", false },
                { "debian-bullseye", "debian", "bullseye", "amd64", true },
                { "debian-sid", "debian", "sid", "amd64", true },
                { "ubuntu", "ubuntu", NULL, "amd64", true },
                { "ubuntu-arm64", "ubuntu", "jammy", "arm64", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_fixture_ Fixture f;
                _cleanup_apt_lines_ AptLines lines = { 0 };
                _cleanup_free_ char *text = NULL, *other = NULL, *name = NULL;

                fixture_init(&f, rows[i].recipe, rows[i].release, rows[i].architecture);
                set_key(&f);
                if (rows[i].system)
                        set_interface(&f);
                assert_int_equal(apt_lines_make(&f.job, &lines, NULL), 0);
                text = lines_of(&f, &lines, mmdebstrap_arguments);
                compare(rows[i].name, text);
                other = lines_of(&f, &lines, debootstrap_arguments);
                name = text_format("%s-debootstrap", rows[i].name);
                compare(name, other);
        }
}

static void test_apt_definition(void **state) {
        _cleanup_fixture_ Fixture f;
        _cleanup_apt_lines_ AptLines lines = { 0 };
        _cleanup_free_ char *text = NULL;
        char *mirrors[] = { (char *) "file:///srv/mirror", (char *) "http://second/debian", NULL };
        char *packages[] = { (char *) "vim", (char *) "systemd", NULL };
        RepositoryDef repositories[] = {
                { .id = (char *) "own",
                  .url = (char *) "https://own/debian",
                  .key = (char *) "/dev/null" },
                { .id = (char *) "host", .url = (char *) "https://host/debian" },
                { .file = (char *) "/root/other.sources" },
        };

        fixture_init(&f, "debian", "bookworm", "amd64");
        set_key(&f);
        f.bootstrap.mirrors = mirrors;
        f.bootstrap.packages = packages;
        f.bootstrap.repositories = repositories;
        f.bootstrap.n_repositories = ELEMENTSOF(repositories);
        f.bootstrap.docs = true;
        assert_int_equal(apt_lines_make(&f.job, &lines, NULL), 0);
        text = lines_of(&f, &lines, mmdebstrap_arguments);
        compare("debian-definition", text);

        /* Only who says so gets unverified packages, and only from repositories without a key. */
        apt_lines_done(&lines);
        f.bootstrap.verify = BOOTSTRAP_VERIFY_NO;
        assert_int_equal(apt_lines_make(&f.job, &lines, NULL), 0);
        assert_false(lines.items[0].trusted);
        assert_false(lines.items[2].trusted);
        assert_true(lines.items[3].trusted);
}

static char *dnf_text(const Fixture *f, const DnfSetup *setup) {
        _cleanup_strv_ char **arguments = NULL;
        _cleanup_free_ char *config = dnf_config_format(&f->job);
        _cleanup_free_ char *repositories = dnf_repositories_format(setup);
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        assert_non_null(file);
        assert_int_equal(dnf_arguments(&f->job, "dnf", &arguments), 0);
        put_arguments(file, arguments);
        (void) fprintf(file, "\n# dnf.conf\n%s\n# ctvirt.repo\n%s", config, repositories);
        assert_int_equal(fclose(file), 0);
        return text;
}

static void test_dnf(void **state) {
        static const struct {
                const char *name, *recipe, *release;
                bool system;
        } rows[] = {
                { "fedora", "fedora", NULL, true },
                { "fedora-35", "fedora", "35", true },
                { "fedora-36", "fedora", "36", true },
                { "fedora-99-application", "fedora", "99", false },
                { "centos-stream-8", "centos-stream", "8", true },
                { "centos-stream-9", "centos-stream", "9", true },
                { "centos-stream-10", "centos-stream", "10", true },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_fixture_ Fixture f;
                _cleanup_dnf_setup_ DnfSetup setup = { 0 };
                _cleanup_free_ char *text = NULL;

                fixture_init(&f, rows[i].recipe, rows[i].release,
                             recipe_host_architecture(BOOTSTRAP_DNF));
                /* The same on every machine. */
                set_key(&f);
                if (rows[i].system)
                        set_interface(&f);
                assert_int_equal(dnf_setup_make(&f.job, &setup, NULL), 0);
                text = dnf_text(&f, &setup);
                compare(rows[i].name, text);
        }
}

static void test_dnf_definition(void **state) {
        _cleanup_fixture_ Fixture f;
        _cleanup_dnf_setup_ DnfSetup setup = { 0 };
        _cleanup_free_ char *text = NULL;
        char *mirrors[] = { (char *) "file:///srv/repo", (char *) "http://two/$releasever", NULL };
        RepositoryDef repositories[] = {
                { .id = (char *) "own",
                  .url = (char *) "https://own/",
                  .key = (char *) "/dev/null" },
                { .id = (char *) "bare", .url = (char *) "https://bare/" },
                { .file = (char *) "/root/centos.repo" },
        };

        fixture_init(&f, "fedora", "37", recipe_host_architecture(BOOTSTRAP_DNF));
        set_key(&f);
        f.bootstrap.mirrors = mirrors;
        f.bootstrap.repositories = repositories;
        f.bootstrap.n_repositories = ELEMENTSOF(repositories);
        f.bootstrap.docs = true;
        f.bootstrap.verify = BOOTSTRAP_VERIFY_NO;
        assert_int_equal(dnf_setup_make(&f.job, &setup, NULL), 0);
        text = dnf_text(&f, &setup);
        compare("fedora-definition", text);
}

/* No key, no URL with a fingerprint: it says what is missing, and what to do. */
static void test_no_key(void **state) {
        _cleanup_fixture_ Fixture f;
        _cleanup_dnf_setup_ DnfSetup setup = { 0 };
        _cleanup_error_ Error *err = NULL;

        fixture_init(&f, "fedora", "98", "x86_64");
        assert_int_equal(dnf_setup_make(&f.job, &setup, &err), -ENOKEY);
        assert_non_null(strstr(err->text, "there is no key of repository fedora of recipe fedora"));
        assert_non_null(strstr(err->text, "/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-98-x86_64"));
        assert_non_null(strstr(err->text, "Install the package distribution-gpg-keys"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_apt),    cmocka_unit_test(test_apt_definition),
                cmocka_unit_test(test_dnf),    cmocka_unit_test(test_dnf_definition),
                cmocka_unit_test(test_no_key),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

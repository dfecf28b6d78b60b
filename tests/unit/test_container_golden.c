/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Golden files: each tests/golden/container/NAME.xml either becomes NAME.out.xml, with the warnings
 * of NAME.warn if there is one, or fails with the error of NAME.err. CTVIRT_REGENERATE=1 writes
 * what comes out instead of comparing it; look at the difference before you commit it.
 */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fileio.h"
#include "xml/container_def.h"
#include "xml/container_schema.h"

#define FOLDER CTVIRT_SOURCE_DIR "/tests/golden/container"
#define EXAMPLES CTVIRT_SOURCE_DIR "/contrib/examples"
#define SCHEMA CTVIRT_SOURCE_DIR "/xml/schema/container.rng"
#define FILE_MAX (16 * 1024 * 1024)

typedef struct Golden {
        const char *name; /* without ".xml" */
        char *input;
        size_t size;
        ContainerDef *def; /* NULL: did not parse */
        char *output;
        char *warnings;
        char *error;
} Golden;

static void golden_done(Golden *g) {
        free(g->input);
        container_def_free(g->def);
        free(g->output);
        free(g->warnings);
        free(g->error);
}

static char *path_of(const char *name, const char *suffix) {
        char *path = NULL;

        assert_true(asprintf(&path, FOLDER "/%s%s", name, suffix) > 0);
        return path;
}

static char *with_newline(char *text) {
        char *line = NULL;

        assert_true(asprintf(&line, "%s\n", text) > 0);
        free(text);
        return line;
}

static void parse(Golden *g, ParseFlags flags) {
        _cleanup_strv_ char **warnings = NULL;
        _cleanup_error_ Error *err = NULL;
        _cleanup_free_ char *file = NULL;
        int r;

        assert_true(asprintf(&file, "%s.xml", g->name) > 0);
        r = container_def_parse(g->input, g->size, file, flags, &g->def, &warnings, &err);
        if (r < 0) {
                assert_null(g->def);
                assert_null(warnings);
                assert_non_null(err);
                assert_int_equal(err->code, -r);
                g->error = with_newline(error_format(err));
                return;
        }
        assert_null(err);
        assert_int_equal(container_def_format(g->def, &g->output), 0);
        if (warnings)
                g->warnings = with_newline(strv_join(warnings, "\n"));
}

/* False if the file has another content; text NULL stands for no file. */
static bool expect(const char *name, const char *suffix, const char *text) {
        _cleanup_free_ char *path = path_of(name, suffix), *wanted = NULL;
        int r;

        if (getenv("CTVIRT_REGENERATE")) {
                r = text ? write_file_at(AT_FDCWD, path, text, strlen(text), 0644, WRITE_IF_CHANGED)
                         : remove_file_at(AT_FDCWD, path);
                return r >= 0;
        }

        r = read_file_at(AT_FDCWD, path, FILE_MAX, false, &wanted, NULL);
        if (r < 0 && r != -ENOENT)
                return false;
        if (streq_ptr(wanted, text))
                return true;
        print_error("%s%s: wanted:\n%s\ngot:\n%s\n", name, suffix, wanted ? wanted : "(no file)",
                    text ? text : "(nothing)");
        return false;
}

static bool survives_round_trip(const Golden *g) {
        _cleanup_(container_def_freep) ContainerDef *again = NULL, *copy = NULL;
        _cleanup_free_ char *text = NULL;

        if (container_def_parse(g->output, strlen(g->output), "again", 0, &again, NULL, NULL) < 0 ||
            container_def_format(again, &text) < 0)
                return false;
        copy = container_def_copy(g->def);
        return copy && container_def_equal(g->def, copy) && container_def_equal(g->def, again) &&
               streq(text, g->output);
}

/* The schema and the parser agree: what had no warning is valid, what had one is not. */
static bool agrees_with_schema(const Golden *g) {
        _cleanup_(golden_done) Golden strict = {
                .name = g->name,
                .input = strndup(g->input, g->size),
                .size = g->size,
        };

        parse(&strict, PARSE_VALIDATE);
        if (!strict.error == !g->warnings)
                return true;
        print_error("%s: schema: %s\n", g->name, strict.error ? strict.error : "(valid)");
        return false;
}

static bool check(const char *name) {
        _cleanup_(golden_done) Golden g = { .name = name };
        _cleanup_free_ char *path = path_of(name, ".xml");
        bool good;

        if (read_file_at(AT_FDCWD, path, FILE_MAX, false, &g.input, &g.size) < 0)
                return false;
        parse(&g, 0);

        good = expect(name, ".out.xml", g.output);
        good = expect(name, ".warn", g.warnings) && good;
        good = expect(name, ".err", g.error) && good;
        if (!g.def)
                return good;
        if (!survives_round_trip(&g)) {
                print_error("%s: another definition after a round trip\n", name);
                good = false;
        }
        return agrees_with_schema(&g) && good;
}

DEFINE_CLEANUP(DIR *, closedir)

static void test_all(void **state) {
        _cleanup_(closedirp) DIR *dir = opendir(FOLDER);
        size_t n = 0, n_bad = 0;
        const struct dirent *e;

        assert_non_null(dir);
        container_schema_set_path(SCHEMA);

        while ((e = readdir(dir))) {
                _cleanup_free_ char *name = NULL;

                if (!endswith(e->d_name, ".xml") || endswith(e->d_name, ".out.xml"))
                        continue;
                name = strndup(e->d_name, strlen(e->d_name) - strlen(".xml"));
                assert_non_null(name);
                n++;
                if (!check(name)) {
                        print_error("%s: bad\n", name);
                        n_bad++;
                }
        }
        assert_true(n > 100);
        assert_int_equal(n_bad, 0);
}

/* What we show to people is strictly valid. */
static void test_examples(void **state) {
        _cleanup_(closedirp) DIR *dir = opendir(EXAMPLES);
        const struct dirent *e;
        size_t n = 0;

        assert_non_null(dir);
        container_schema_set_path(SCHEMA);

        while ((e = readdir(dir))) {
                _cleanup_(golden_done) Golden g = { .name = e->d_name };
                _cleanup_free_ char *path = NULL;

                if (!endswith(e->d_name, ".xml"))
                        continue;
                assert_true(asprintf(&path, EXAMPLES "/%s", e->d_name) > 0);
                assert_int_equal(read_file_at(AT_FDCWD, path, FILE_MAX, false, &g.input, &g.size),
                                 0);
                parse(&g, PARSE_VALIDATE);
                if (g.error)
                        fail_msg("%s: %s", e->d_name, g.error);
                n++;
        }
        assert_true(n >= 4);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_examples),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

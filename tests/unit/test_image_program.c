/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What an image wants to run, and what becomes of it in a definition that says more or less itself.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/bootstrap/image_program.h"
#include "temp_root.h"

/* Lists of words parted by blanks. */
static char **words(const char *text) {
        _cleanup_free_ char *copy = text ? strdup(text) : NULL;
        char *rest = copy, **v = NULL;

        for (char *word; (word = strsep(&rest, " "));)
                assert_int_equal(strv_extend(&v, word), 0);
        return v;
}

static ImageCommand command_new(const char *arguments, const char *environment,
                                const char *directory, const char *user) {
        return (ImageCommand){ words(arguments), words(environment),
                               directory ? strdup(directory) : NULL, user ? strdup(user) : NULL };
}

static char *make_tree(void) {
        char *root = temp_root_new();
        _cleanup_free_ char *run = text_format("%s/usr/bin/run", root),
                            *app = text_format("%s/opt/app/start.sh", root);

        temp_root_write(root, "/usr/bin/run", "x");
        temp_root_write(root, "/usr/local/bin/run", "not for running");
        temp_root_write(root, "/opt/app/start.sh", "x");
        temp_root_write(root, "/etc/passwd",
                        "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/srv:/bin/sh\nbroken\n");
        temp_root_link(root, "/bin", "usr/bin");
        temp_root_link(root, "/usr/bin/out", "../../../../../../../../bin/sh");
        assert_int_equal(chmod(run, 0755), 0);
        assert_int_equal(chmod(app, 0755), 0);
        return root;
}

/* found: NULL means a sentence with that text in it. */
static const struct {
        const char *arguments, *environment, *directory, *user;
        const char *found, *sentence;
} lookups[] = {
        { "/usr/bin/run a", NULL, NULL, NULL, "/usr/bin/run", NULL },
        { "/bin/../bin//run", NULL, NULL, NULL, NULL, "not in the image" },
        { "/bin/run", NULL, NULL, NULL, "/bin/run", NULL },
        { "run", NULL, NULL, NULL, "/usr/bin/run", NULL },
        { "run", "A=1 PATH=/nowhere:relative:/bin", NULL, NULL, "/bin/run", NULL },
        { "run", "PATH=/nowhere", NULL, NULL, NULL, "'run' is not in the image" },
        { "./start.sh", NULL, "/opt/app", NULL, "/opt/app/start.sh", NULL },
        { "app/start.sh", NULL, "/opt", NULL, "/opt/app/start.sh", NULL },
        { "./start.sh", NULL, NULL, NULL, NULL, "not in the image" },
        { "out", NULL, NULL, NULL, NULL, "not in the image" }, /* not the host's */
        { "/opt/app", NULL, NULL, NULL, NULL, "not in the image" },
        { "run", NULL, "/srv/new", NULL, "/usr/bin/run", NULL }, /* made */
        { "run", NULL, "/etc/passwd", NULL, "/usr/bin/run", "cannot be made: Not a directory" },
        { "run", NULL, NULL, "web", "/usr/bin/run", NULL },
        { "run", NULL, NULL, "33:44", "/usr/bin/run", NULL },
        { "run", NULL, NULL, "root:web", "/usr/bin/run", NULL },
        { "run", NULL, NULL, "1000", "/usr/bin/run", "user '1000' has no entry" },
        { "run", NULL, NULL, "we", "/usr/bin/run", "user 'we' has no entry" },
        { NULL, NULL, NULL, NULL, NULL, NULL },
};

static void test_find(void **state) {
        _cleanup_root_ char *root = make_tree();
        _cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_free_ char *made = NULL;

        for (size_t i = 0; i < ELEMENTSOF(lookups); i++) {
                ImageCommand c = command_new(lookups[i].arguments, lookups[i].environment,
                                             lookups[i].directory, lookups[i].user);
                const char *given = lookups[i].arguments ? c.arguments[0] : NULL;
                _cleanup_free_ char *before = given ? strdup(given) : NULL;
                _cleanup_strv_ char **warnings = NULL;
                const char *wanted = lookups[i].found ? lookups[i].found : before;

                print_message("%zu\n", i);
                assert_int_equal(image_program_find(fd, &c, &warnings), 0);
                if (wanted)
                        assert_string_equal(c.arguments[0], wanted);
                assert_int_equal(strv_length(warnings), lookups[i].sentence ? 1 : 0);
                if (lookups[i].sentence)
                        assert_non_null(strstr(warnings[0], lookups[i].sentence));
                image_command_done(&c);
        }
        made = text_format("%s/srv/new", root);
        assert_int_equal(access(made, F_OK), 0);
}

/* What <os> says, what the image says, and what <os> says in the end. */
static const struct {
        const char *os;
        const char *arguments, *environment, *directory, *user;
        const char *wanted;
        size_t n_warnings;
} completions[] = {
        { "", "/usr/bin/run a b", "A=1 B", "/srv", "web",
          "<init>/usr/bin/run</init><initarg>a</initarg><initarg>b</initarg>"
          "<initenv name='A'>1</initenv><initenv name='B'/>"
          "<initdir>/srv</initdir><inituser>web</inituser>",
          0 },
        /* What is said stays. */
        { "<init>/own</init><initenv name='A'>own</initenv><initdir>/o</initdir>"
          "<inituser>o</inituser>",
          "/usr/bin/run a", "A=1 C=x=y", "/srv", "web",
          "<init>/own</init><initenv name='A'>own</initenv><initenv name='C'>x=y</initenv>"
          "<initdir>/o</initdir><inituser>o</inituser>",
          0 },
        /* Arguments alone are those of the container's own init. */
        { "<initarg>--unit=x</initarg>", "/usr/bin/run a", NULL, "/srv", "web",
          "<initarg>--unit=x</initarg>", 0 },
        /* Booted. */
        { "", "/sbin/init splash", "A=1", "/srv", "web",
          "<initarg>splash</initarg><initenv name='A'>1</initenv>", 0 },
        { "", "/usr/lib/systemd/systemd", NULL, NULL, NULL, "", 0 },
        { "", "/usr/bin/systemd", NULL, NULL, NULL, "", 0 },
        { "<init>/sbin/init</init>", "/usr/bin/run a", NULL, "/srv", "web",
          "<init>/sbin/init</init>", 0 },
        /* An init of the image's own is its program. */
        { "", "/init", NULL, NULL, NULL, "<init>/init</init>", 0 },
        /* Whom and where. */
        { "", "/r", NULL, "/", "root", "<init>/r</init>", 0 },
        { "", "/r", NULL, "/", "0:0", "<init>/r</init>", 0 },
        { "", "/r", NULL, "//a/./b/", "+7",
          "<init>/r</init><initdir>/a/b</initdir><inituser>7</inituser>", 0 },
        { "", "/r", NULL, NULL, "web:www",
          "<init>/r</init><inituser>web</inituser><initgroup>www</initgroup>", 0 },
        /* What a definition cannot say is told. */
        { "", "/r", "A.B=1 1=2 =3 C=4", "../x", "a/b:c/d",
          "<init>/r</init><initenv name='C'>4</initenv>", 6 },
        { "", "run", "A=1", NULL, NULL, "<initenv name='A'>1</initenv>", 0 },
        { "", NULL, NULL, NULL, NULL, "", 0 },
        { "", "/r", "A=1 A=2", NULL, NULL, "<init>/r</init><initenv name='A'>2</initenv>", 0 },
};

static ContainerDef *parse(const char *os) {
        _cleanup_free_ char *xml = text_format("<domain type='nspawn'><name>web</name><os>%s</os>"
                                               "</domain>",
                                               os);
        ContainerDef *def = NULL;
        Error *err = NULL;

        if (container_def_parse(xml, strlen(xml), "test.xml", 0, &def, NULL, &err) < 0)
                fail_msg("%s", err->text);
        return def;
}

static void test_apply(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(completions); i++) {
                _cleanup_(container_def_freep) ContainerDef *def = parse(completions[i].os),
                                                            *wanted = parse(completions[i].wanted);
                ImageCommand c = command_new(completions[i].arguments, completions[i].environment,
                                             completions[i].directory, completions[i].user);
                bool changes = !streq(completions[i].os, completions[i].wanted);
                _cleanup_strv_ char **warnings = NULL;
                _cleanup_free_ char *text = NULL;

                print_message("%zu\n", i);
                assert_int_equal(image_program_apply(&c, def, &warnings), changes);
                assert_int_equal(container_def_format(def, &text), 0);
                if (!container_def_equal(def, wanted))
                        fail_msg("%s", text);
                assert_int_equal(strv_length(warnings), completions[i].n_warnings);
                image_command_done(&c);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_apply),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

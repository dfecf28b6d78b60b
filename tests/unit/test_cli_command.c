/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The client's parser against virsh's grammar and sentences, and its tables against the manual.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/cli/command.h"
#include "agent/cli/verbs.h"
#include "agent/cli/words.h"
#include "base/fileio.h"

#define ARGV_MAX 8

static int run_nothing(Cli *cli, const Command *command) {
        return 0;
}

static const OptionDef wait_options[] = {
        { .name = "domain",
          .type = OPTION_STRING,
          .positional = true,
          .required = true,
          .help = "h" },
        { .name = "source", .type = OPTION_STRING, .positional = true, .help = "h" },
        { .name = "timeout", .type = OPTION_NUMBER, .help = "h" },
        { .name = "all", .help = "h" },
        { 0 },
};

static const OptionDef key_options[] = {
        { .name = "key", .type = OPTION_STRING, .required = true, .help = "h" },
        { .name = "word", .type = OPTION_REST, .positional = true, .help = "h" },
        { 0 },
};

static const VerbDef verbs[] = {
        { .name = "wait", .help = "h", .options = wait_options, .run = run_nothing },
        { .name = "key", .help = "h", .options = key_options, .run = run_nothing },
        { .name = "bare", .help = "h", .run = run_nothing },
        { 0 },
};

static const VerbGroup groups[] = {
        { .title = "Group", .keyword = "group", .verbs = verbs },
        { 0 },
};

static int parse(const char *const *words, Command *ret, Error **err) {
        static char *argv[ARGV_MAX];
        int argc = 0;

        for (; words[argc]; argc++)
                argv[argc] = (char *) words[argc];
        return command_parse(groups, argc, argv, ret, err);
}

static void test_sentences(void **state) {
        static const struct {
                const char *words[ARGV_MAX];
                const char *sentence;
        } rows[] = {
                { { "foo" }, "unknown command: 'foo'" },
                { { "wait" }, "command 'wait' requires <domain> option" },
                { { "wait", "--bogus", "a" }, "command 'wait' doesn't support option --bogus" },
                { { "wait", "a", "--bogus=1" }, "command 'wait' doesn't support option --bogus" },
                { { "wait", "a", "--dom", "b" }, "command 'wait' doesn't support option --dom" },
                { { "wait", "a", "b", "c" }, "unexpected data 'c'" },
                { { "wait", "a", "b", "-c" }, "unexpected data '-c'" },
                { { "wait", "a", "--domain", "b" }, "option --domain already seen" },
                { { "wait", "a", "--all", "--all" }, "option --all already seen" },
                { { "wait", "--domain" }, "expected syntax: --domain <string>" },
                { { "wait", "a", "--timeout" }, "expected syntax: --timeout <number>" },
                { { "wait", "a", "--all=1" }, "invalid '=' after option --all" },
                { { "wait", "--domain=" },
                  "Failed to get option 'domain': Option argument is empty" },
                { { "wait", "" }, "Failed to get option 'domain': Option argument is empty" },
                { { "key", "a" }, "command 'key' requires --key option" },
                { { "key", "--word", "a" }, "command 'key' doesn't support option --word" },
                { { "bare", "a" }, "unexpected data 'a'" },
                { { "bare", "--", "--all" }, "unexpected data '--all'" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_error_ Error *err = NULL;
                Command command = { 0 };

                assert_int_equal(parse(rows[i].words, &command, &err), -EINVAL);
                assert_non_null(err);
                assert_string_equal(err->text, rows[i].sentence);
                assert_null(command.verb);
        }
}

static void test_accepted(void **state) {
        static const struct {
                const char *words[ARGV_MAX];
                const char *domain, *source;
                bool all;
        } rows[] = {
                { { "wait", "a" }, "a", NULL, false },
                { { "wait", "a", "b" }, "a", "b", false },
                { { "wait", "--all", "a" }, "a", NULL, true },
                { { "wait", "a", "--all", "b" }, "a", "b", true },
                { { "wait", "--domain", "a" }, "a", NULL, false },
                { { "wait", "--domain=a=b" }, "a=b", NULL, false },
                { { "wait", "b", "--domain", "a" }, "a", "b", false },
                { { "wait", "--source", "b", "a" }, "a", "b", false },
                { { "wait", "--domain", "--all" }, "--all", NULL, false },
                { { "wait", "--", "--all" }, "--all", NULL, false },
                { { "wait", "--", "--", "-" }, "--", "-", false },
                { { "wait", "-a" }, "-a", NULL, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_error_ Error *err = NULL;
                Command command = { 0 };
                int r = parse(rows[i].words, &command, &err);

                /* virsh: a positional option that is named before its turn is skipped later; named
                 * after a value took its place, it is there twice. */
                if (streq(rows[i].words[1], "b")) {
                        assert_int_equal(r, -EINVAL);
                        assert_string_equal(err->text, "option --domain already seen");
                        continue;
                }

                assert_int_equal(r, 0);
                assert_null(err);
                assert_true(streq_ptr(command_string(&command, "domain"), rows[i].domain));
                assert_true(streq_ptr(command_string(&command, "source"), rows[i].source));
                assert_int_equal(command_flag(&command, "all"), rows[i].all);
        }
}

static void test_help_option(void **state) {
        Command command = { 0 };

        assert_int_equal(parse((const char *[]){ "wait", "--help", NULL }, &command, NULL), 0);
        assert_true(command.help);
        assert_string_equal(command.verb->name, "wait");
}

static void test_rest(void **state) {
        const char *words[] = { "key", "--key", "k", "--", "a", "--key", NULL };
        Command command = { 0 };

        assert_int_equal(parse(words, &command, NULL), 0);
        assert_int_equal(command.n_rest, 2);
        assert_string_equal(command.rest[0], "a");
        assert_string_equal(command.rest[1], "--key");
}

static void test_numbers(void **state) {
        static const struct {
                const char *text;
                unsigned value; /* 0: refused */
        } rows[] = {
                { "1", 1 },   { "7", 7 },   { "100", 100 }, { "0", 0 },
                { "101", 0 }, { "-1", 0 },  { "+1", 0 },    { " 1", 0 },
                { "1x", 0 },  { "0x1", 0 }, { "x", 0 },     { "99999999999999999999", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *words[] = { "wait", "a", "--timeout", rows[i].text, NULL };
                _cleanup_error_ Error *err = NULL;
                Command command = { 0 };
                unsigned value = 0;
                int r;

                assert_int_equal(parse(words, &command, NULL), 0);
                r = command_number(&command, "timeout", 100, &value, &err);
                assert_int_equal(r, rows[i].value != 0 ? 1 : -EINVAL);
                assert_int_equal(value, rows[i].value);
                if (r < 0)
                        assert_non_null(strstr(err->text, "> option is malformed or out of range"));
        }
}

/* Words are shown with a "|" behind them, commands with a "/". */
static void test_words(void **state) {
        static const struct {
                const char *string, *commands;
        } rows[] = {
                { "", "" },
                { "  ", "" },
                { " ;\n; ", "" },
                { "a", "a|/" },
                { " a  b\tc ", "a|b|c|/" },
                { "a;b c", "a|/b|c|/" },
                { "a ; b\nc;", "a|/b|/c|/" },
                { "a\\;b a\\ b", "a;b|a b|/" },
                { "'a b'c \"d;e\" ''", "a bc|d;e||/" },
                { "\"a'b\" 'a\"b' 'a\\b' \"a\\\"b\"", "a'b|a\"b|a\\b|a\"b|/" },
                { "a # b; c", "a|/" },
                { "# a\nb", "b|/" },
                { "a#b", "a#b|/" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char shown[64] = "", *p = shown;
                char **words = NULL;

                for (const char *s = rows[i].string; words_next(&s, &words, NULL) > 0;) {
                        STRV_FOREACH(w, words) {
                                p = mempcpy(p, *w, strlen(*w));
                                *p++ = '|';
                        }
                        *p++ = '/';
                        words = strv_free(words);
                }
                assert_null(words);
                assert_string_equal(shown, rows[i].commands);
        }
}

static void test_words_errors(void **state) {
        static const struct {
                const char *string, *sentence;
        } rows[] = {
                { "a \"b", "missing \"" },
                { "a 'b", "missing '" },
                { "a\\", "dangling \\" },
                { "a \"b\\\"", "missing \"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_error_ Error *err = NULL;
                const char *s = rows[i].string;
                char **words = NULL;

                assert_int_equal(words_next(&s, &words, &err), -EINVAL);
                assert_string_equal(err->text, rows[i].sentence);
                assert_null(words);
        }
}

static void test_number_absent(void **state) {
        Command command = { 0 };
        unsigned value = 5;

        assert_int_equal(parse((const char *[]){ "wait", "a", NULL }, &command, NULL), 0);
        assert_int_equal(command_number(&command, "timeout", 100, &value, NULL), 0);
        assert_int_equal(value, 5);
}

static void test_check_finds_bad_tables(void **state) {
        static const OptionDef twice[] = { { .name = "a", .help = "h" },
                                           { .name = "a", .help = "h" },
                                           { 0 } };
        static const OptionDef required_flag[] = { { .name = "a", .required = true, .help = "h" },
                                                   { 0 } };
        static const OptionDef no_help[] = { { .name = "a" }, { 0 } };
        static const OptionDef dashes[] = { { .name = "--a", .help = "h" }, { 0 } };
        static const OptionDef *const tables[] = { twice, required_flag, no_help, dashes };

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                const VerbDef bad[] = {
                        { .name = "v", .help = "h", .options = tables[i], .run = run_nothing },
                        { 0 },
                };
                const VerbGroup bad_groups[] = { { "G", "g", bad }, { 0 } };

                assert_int_equal(verb_groups_check(bad_groups, NULL), -EINVAL);
        }
}

static void test_tables(void **state) {
        _cleanup_error_ Error *err = NULL;
        int r = verb_groups_check(verb_groups, &err);

        if (r < 0)
                fail_msg("%s", err->text);
        assert_int_equal(verb_groups_check(groups, NULL), 0);
}

/* Every verb and every option stands in the manual, with its dashes escaped as roff wants them. */
static void assert_in_manual(const char *manual, const char *start, const char *text) {
        _cleanup_free_ char *escaped = calloc(2, strlen(text) + 1);
        char *p = escaped;

        assert_non_null(escaped);
        for (; *text; *p++ = *text++)
                if (*text == '-')
                        *p++ = '\\';

        if (!strstr(start ? start : manual, escaped))
                fail_msg("ctvirt.1 does not have '%s'", escaped);
}

static void test_manual(void **state) {
        _cleanup_free_ char *manual = NULL;

        assert_int_equal(read_file_at(AT_FDCWD, CTVIRT_SOURCE_DIR "/contrib/man/ctvirt.1", 1 << 20,
                                      true, &manual, NULL),
                         0);
        GROUP_FOREACH(g, verb_groups)
        VERB_FOREACH(v, g) {
                _cleanup_free_ char *head = NULL;

                if (v->flags & VERB_HIDDEN)
                        continue;
                assert_true(asprintf(&head, "\n.B %s", v->name) > 0);
                assert_in_manual(manual, NULL, head);
                OPTION_FOREACH(o, v) {
                        _cleanup_free_ char *option = NULL;

                        assert_true(asprintf(&option, o->positional ? "%s" : "--%s", o->name) > 0);
                        assert_in_manual(manual, NULL, option);
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sentences),
                cmocka_unit_test(test_accepted),
                cmocka_unit_test(test_help_option),
                cmocka_unit_test(test_rest),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_number_absent),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_words_errors),
                cmocka_unit_test(test_check_finds_bad_tables),
                cmocka_unit_test(test_tables),
                cmocka_unit_test(test_manual),
        };

        return cmocka_run_group_tests_name("cli_command", tests, NULL, NULL);
}

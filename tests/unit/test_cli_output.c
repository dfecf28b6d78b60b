/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The client's output against virsh's exact forms.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/cli/output.h"

/* An Output into memory. */
typedef struct Memory {
        Output output;
        char *out, *err;
        size_t out_size, err_size;
} Memory;

static void memory_open(Memory *m, bool quiet) {
        output_init(&m->output);
        m->output.quiet = quiet;
        m->output.out = open_memstream(&m->out, &m->out_size);
        m->output.err = open_memstream(&m->err, &m->err_size);
        assert_non_null(m->output.out);
        assert_non_null(m->output.err);
}

/* Checks what was printed, and closes. */
static void memory_close(Memory *m, const char *out, const char *err) {
        (void) fclose(m->output.out);
        (void) fclose(m->output.err);
        assert_string_equal(m->out, out);
        assert_string_equal(m->err, err);
        free(m->out);
        free(m->err);
}

static void print_list(Output *o) {
        _cleanup_table_ Table *table = NULL;

        assert_int_equal(table_new(&table, CELLS("Id", "Name", "State")), 0);
        table_add(table, CELLS("1", "test", "running"));
        table_add(table, CELLS("-", "a-longer-one", "shut off"));
        assert_int_equal(table_print(table, o), 0);
        output_end(o);
}

static void test_table(void **state) {
        Memory m = { 0 };

        memory_open(&m, false);
        print_list(&m.output);
        memory_close(&m,
                     " Id   Name           State\n"
                     "-------------------------------\n"
                     " 1    test           running\n"
                     " -    a-longer-one   shut off\n"
                     "\n",
                     "");
}

static void test_table_quiet(void **state) {
        Memory m = { 0 };

        memory_open(&m, true);
        print_list(&m.output);
        memory_close(&m,
                     " 1   test           running\n"
                     " -   a-longer-one   shut off\n",
                     "");
}

static void test_table_empty(void **state) {
        _cleanup_table_ Table *table = NULL;
        Memory m = { 0 };

        memory_open(&m, false);
        assert_int_equal(table_new(&table, CELLS("Id", "Name", "State")), 0);
        assert_int_equal(table_print(table, &m.output), 0);
        memory_close(&m,
                     " Id   Name   State\n"
                     "--------------------\n",
                     "");
}

/* The last column is not padded; an empty cell there leaves its space. */
static void test_table_title(void **state) {
        _cleanup_table_ Table *table = NULL;
        Memory m = { 0 };

        memory_open(&m, false);
        assert_int_equal(table_new(&table, CELLS("Id", "Name", "State", "Title")), 0);
        table_add(table, CELLS("1", "test", "running", NULL));
        assert_int_equal(table_print(table, &m.output), 0);
        memory_close(&m,
                     " Id   Name   State     Title\n"
                     "------------------------------\n"
                     " 1    test   running   \n",
                     "");
}

static void test_width(void **state) {
        static const struct {
                const char *text;
                size_t width;
        } rows[] = {
                { "", 0 },
                { "abc", 3 },
                { "\303\244\303\266", 2 },         /* two umlauts */
                { "\345\256\271\345\231\250", 4 }, /* two wide characters */
                { "a\314\210", 1 },                /* combining */
                { "\033[1m", 7 },                  /* an escape sequence, shown as \x1b[1m */
                { "\377", 4 },                     /* not UTF-8 */
                { "\342\200\256", 12 },            /* U+202E: the rest from right to left */
                { "\342\201\251", 12 },            /* U+2069 */
                { "\302\233", 8 },                 /* U+009B: a control sequence begins */
                { "\345\256", 8 },                 /* cut off */
        };
        Memory m = { 0 };

        memory_open(&m, false);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(text_width(rows[i].text), rows[i].width);
        memory_close(&m, "", "");
}

static void test_table_characters(void **state) {
        _cleanup_table_ Table *table = NULL;
        Memory m = { 0 };

        memory_open(&m, false);
        assert_int_equal(table_new(&table, CELLS("Name", "Title", "X")), 0);
        table_add(table, CELLS("a", "\345\256\271\345\231\250", "1"));
        table_add(table, CELLS("b", "\033[1m\377", "2"));
        assert_int_equal(table_print(table, &m.output), 0);
        memory_close(&m,
                     " Name   Title         X\n"
                     "-------------------------\n"
                     " a      \345\256\271\345\231\250          1\n"
                     " b      \\x1b[1m\\xff   2\n",
                     "");
}

static void test_pair(void **state) {
        Memory m = { 0 };

        memory_open(&m, true);
        output_pair(&m.output, "Id:", "%u", 1);
        output_pair(&m.output, "Used memory:", "%u KiB", 2097152);
        output_pair(&m.output, "Security model:", "%s", "selinux");
        memory_close(&m,
                     "Id:             1\n"
                     "Used memory:    2097152 KiB\n"
                     "Security model: selinux\n",
                     "");
}

static void test_extra(void **state) {
        for (int quiet = 0; quiet < 2; quiet++) {
                Memory m = { 0 };

                memory_open(&m, quiet);
                output_extra(&m.output, "Container 'a' started\n");
                output_print(&m.output, "data\n");
                output_end(&m.output);
                memory_close(&m, quiet ? "data\n" : "Container 'a' started\ndata\n\n", "");
        }
}

static void test_errors(void **state) {
        for (int quiet = 0; quiet < 2; quiet++) {
                Memory m = { 0 };

                memory_open(&m, quiet);
                output_warning(&m.output, "careful");
                output_error(&m.output, "Failed to start container '%s'", "x");
                output_error(&m.output, "why");
                output_end(&m.output);
                memory_close(&m, "",
                             quiet ? "warning: careful\n"
                                     "error: Failed to start container 'x'\nerror: why\n"
                                   : "warning: careful\n"
                                     "error: Failed to start container 'x'\nerror: why\n\n");
        }
}

/* Names come from the command line, titles from anybody who may define. */
static void test_terminal_safe(void **state) {
        Memory m = { 0 };

        memory_open(&m, false);
        output_error(&m.output, "no container '%s'\n(really)",
                     "\033]0;x\007\302\233a\342\200\256b");
        output_pair(&m.output, "Title:", "%s", "\342\201\246c\033[2J\344");
        memory_close(&m, "Title:          \\xe2\\x81\\xa6c\\x1b[2J\\xe4\n",
                     "error: no container '\\x1b]0;x\\x07\\xc2\\x9ba\\xe2\\x80\\xaeb'\n(really)\n");
}

static void test_full_disk(void **state) {
        Memory m = { 0 };
        FILE *out;

        memory_open(&m, false);
        out = m.output.out;
        m.output.out = fopen("/dev/full", "we");
        assert_non_null(m.output.out);
        for (int i = 0; i < 100000; i++)
                output_print(&m.output, "data\n");
        assert_int_equal(output_flush(&m.output), -ENOSPC);
        (void) fclose(m.output.out);
        m.output.out = out;
        memory_close(&m, "", "error: cannot write to standard output: No space left on device\n");
}

static void test_utf8(void **state) {
        Memory m = { 0 };

        memory_open(&m, false);
        assert_true(text_is_utf8("<a>\303\244</a>"));
        assert_false(text_is_utf8("<a>\344</a>"));
        memory_close(&m, "", "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),         cmocka_unit_test(test_table_quiet),
                cmocka_unit_test(test_table_empty),   cmocka_unit_test(test_table_title),
                cmocka_unit_test(test_width),         cmocka_unit_test(test_table_characters),
                cmocka_unit_test(test_pair),          cmocka_unit_test(test_extra),
                cmocka_unit_test(test_errors),        cmocka_unit_test(test_full_disk),
                cmocka_unit_test(test_terminal_safe), cmocka_unit_test(test_utf8),
        };

        return cmocka_run_group_tests_name("cli_output", tests, NULL, NULL);
}

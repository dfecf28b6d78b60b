#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Output: what the client prints, in the exact forms of virsh. Data goes to out, errors and
 * warnings to err. "Extra" text (headers, confirmations, the empty line behind a command) is what
 * --quiet silences.
 */

#include "base/macro.h"

typedef struct Output {
        FILE *out;
        FILE *err;
        bool quiet;
        bool occupied;   /* until output_end(): out has a file's bytes, no text may come between */
        bool failed;     /* an error was printed since the last output_end() */
        int write_error; /* negative errno of the first failed write to out */
} Output;

/* Standard output and error; makes this process count columns in UTF-8. */
void output_init(Output *o);

/* Text for out: data, and text that --quiet silences. Also silent while out is occupied. */
void output_print(Output *o, const char *format, ...) _printf_(2, 3);
void output_extra(Output *o, const char *format, ...) _printf_(2, 3);

/* One line of dominfo or net-info: the key with its colon in 15 columns, then the value. Here, in
 * errors and in tables, characters that a terminal would not print, or that change the order of
 * others, appear as \xNN. */
void output_pair(Output *o, const char *key, const char *format, ...) _printf_(3, 4);

/* One line for err behind "error: " or "warning: ". What was printed before comes out first. */
void output_error(Output *o, const char *format, ...) _printf_(2, 3);
void output_warning(Output *o, const char *format, ...) _printf_(2, 3);

/* The empty line behind a command: on err if the command printed errors, on out if not. */
void output_end(Output *o);

/* Everything out of the buffers. Tells about the first write that failed, once (not about a reader
 * that went away), and returns its negative errno. */
int output_flush(Output *o);

/*
 * Table: virsh's table. Every cell is printed as " " and its text, padded to the widest cell of its
 * column and two more, except in the last column; under the header a line of dashes.
 *
 * An append that fails for want of memory is remembered and returned by table_print().
 */
typedef struct Table Table;

/* The header, NULL-terminated; it sets the number of columns. */
int table_new(Table **ret, const char *const *header);
Table *table_free(Table *t);
DEFINE_CLEANUP(Table *, table_free)
#define _cleanup_table_ _cleanup_(table_freep)

/* As many cells as the header has; NULL is an empty one. */
void table_add(Table *t, const char *const *cells);

int table_print(const Table *t, Output *o);

#define CELLS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Columns that s takes on a terminal. */
size_t text_width(const char *s);

bool text_is_utf8(const char *s);

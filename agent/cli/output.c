/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/output.h"

#include <locale.h>
#include <stdarg.h>
#include <wchar.h>

struct Table {
        size_t columns;
        size_t n_cells, allocated;
        char **cells; /* row by row, the header first */
        int error;
};

void output_init(Output *o) {
        *o = (Output){ .out = stdout, .err = stderr };
        (void) setlocale(LC_CTYPE, "C.UTF-8");
}

static void output_remember(Output *o, int r) {
        if (r < 0 && o->write_error == 0)
                o->write_error = negative_errno();
}

_printf_(2, 0) static void output_vprint(Output *o, const char *format, va_list ap) {
        output_remember(o, vfprintf(o->out, format, ap));
}

void output_print(Output *o, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        output_vprint(o, format, ap);
        va_end(ap);
}

void output_extra(Output *o, const char *format, ...) {
        va_list ap;

        if (o->quiet || o->occupied)
                return;

        va_start(ap, format);
        output_vprint(o, format, ap);
        va_end(ap);
}

/* Marks that change the order in which a terminal shows what comes before and after them. */
static bool is_direction_mark(wchar_t c) {
        return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
               c == 0x200f || c == 0x061c;
}

/* The next character of s: its bytes, and its columns, -1 if it cannot be printed. */
static int text_next(const char *s, size_t *ret_bytes) {
        mbstate_t state = { 0 };
        wchar_t c;
        size_t n;
        int width;

        n = mbrtowc(&c, s, strlen(s), &state);
        if (n == 0 || n > strlen(s)) {
                *ret_bytes = 1;
                return -1;
        }

        width = is_direction_mark(c) ? -1 : wcwidth(c);
        *ret_bytes = n;
        return width;
}

size_t text_width(const char *s) {
        size_t total = 0, n;

        for (; *s; s += n) {
                int width = text_next(s, &n);

                total += width < 0 ? 4 * n : (size_t) width;
        }
        return total;
}

bool text_is_utf8(const char *s) {
        return mbstowcs(NULL, s, 0) != (size_t) -1;
}

static char *append_escaped(char *p, unsigned char c) {
        static const char digits[] = "0123456789abcdef";

        *p++ = '\\';
        *p++ = 'x';
        *p++ = digits[c >> 4];
        *p++ = digits[c & 15];
        return p;
}

/* A copy of s in which everything that cannot be printed, but for what is in `kept`, is written as
 * \xNN. */
static char *text_printable(const char *s, const char *kept) {
        _cleanup_free_ char *copy = malloc(4 * strlen(s) + 1);
        char *p = copy;
        size_t n;

        if (!copy)
                return NULL;

        for (; *s; s += n) {
                if (text_next(s, &n) >= 0 || strchr(kept, *s)) {
                        p = mempcpy(p, s, n);
                        continue;
                }
                for (size_t i = 0; i < n; i++)
                        p = append_escaped(p, (unsigned char) s[i]);
        }

        *p = '\0';
        return TAKE_PTR(copy);
}

_printf_(1, 0) static char *format_printable(const char *format, va_list ap) {
        _cleanup_free_ char *text = NULL;

        if (vasprintf(&text, format, ap) < 0) {
                text = NULL;
                return NULL;
        }
        return text_printable(text, "\n\t");
}

void output_pair(Output *o, const char *key, const char *format, ...) {
        _cleanup_free_ char *value = NULL;
        va_list ap;

        va_start(ap, format);
        value = format_printable(format, ap);
        va_end(ap);
        output_print(o, "%-15s %s\n", key, value ? value : "");
}

_printf_(3, 0) static void output_verror(Output *o, const char *prefix, const char *format,
                                         va_list ap) {
        _cleanup_free_ char *text = format_printable(format, ap);

        output_remember(o, fflush(o->out));
        (void) fprintf(o->err, "%s%s\n", prefix, text ? text : strerror(ENOMEM));
}

void output_error(Output *o, const char *format, ...) {
        va_list ap;

        o->failed = true;
        va_start(ap, format);
        output_verror(o, "error: ", format, ap);
        va_end(ap);
}

void output_warning(Output *o, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        output_verror(o, "warning: ", format, ap);
        va_end(ap);
}

void output_end(Output *o) {
        if (!o->failed)
                output_extra(o, "\n");
        else if (!o->quiet)
                (void) fputc('\n', o->err);
        o->failed = false;
        o->occupied = false;
}

int output_flush(Output *o) {
        int r;

        output_remember(o, fflush(o->out));
        r = o->write_error;
        if (r < 0 && r != -EPIPE)
                output_error(o, "cannot write to standard output: %s", strerror(-r));

        o->write_error = 0;
        return r;
}

static int table_append(Table *t, const char *cell) {
        if (t->n_cells == t->allocated) {
                size_t wanted = t->allocated == 0 ? 32 : 2 * t->allocated;
                char **grown = reallocarray(t->cells, wanted, sizeof(char *));

                if (!grown)
                        return -ENOMEM;
                t->cells = grown;
                t->allocated = wanted;
        }

        t->cells[t->n_cells] = text_printable(cell ? cell : "", "");
        return t->cells[t->n_cells++] ? 0 : -ENOMEM;
}

void table_add(Table *t, const char *const *cells) {
        for (size_t i = 0; i < t->columns && t->error == 0; i++)
                t->error = table_append(t, cells[i]);
}

int table_new(Table **ret, const char *const *header) {
        _cleanup_table_ Table *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;

        while (header[t->columns])
                t->columns++;
        table_add(t, header);
        if (t->error < 0)
                return t->error;

        *ret = TAKE_PTR(t);
        return 0;
}

Table *table_free(Table *t) {
        if (!t)
                return NULL;

        for (size_t i = 0; i < t->n_cells; i++)
                free(t->cells[i]);
        free(t->cells);
        free(t);
        return NULL;
}

static void table_print_row(const Table *t, size_t first, const size_t *widths, Output *o) {
        for (size_t i = 0; i < t->columns; i++) {
                const char *cell = t->cells[first + i];

                output_print(o, " %s", cell);
                if (i + 1 < t->columns)
                        output_print(o, "%*s", (int) (widths[i] - text_width(cell) + 2), "");
        }
        output_print(o, "\n");
}

static void table_print_dashes(const Table *t, const size_t *widths, Output *o) {
        for (size_t i = 0; i < t->columns; i++)
                for (size_t j = 0; j < widths[i] + 3; j++)
                        output_print(o, "-");
        output_print(o, "\n");
}

int table_print(const Table *t, Output *o) {
        _cleanup_free_ size_t *widths = calloc(t->columns, sizeof(size_t));
        size_t body = o->quiet ? t->columns : 0;

        if (t->error < 0 || !widths)
                return -ENOMEM;

        for (size_t i = body; i < t->n_cells; i++) {
                size_t width = text_width(t->cells[i]);

                if (width > widths[i % t->columns])
                        widths[i % t->columns] = width;
        }

        for (size_t i = body; i < t->n_cells; i += t->columns) {
                table_print_row(t, i, widths, o);
                if (i == 0)
                        table_print_dashes(t, widths, o);
        }
        return 0;
}

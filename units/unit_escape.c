/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_escape.h"

#include "units/conf_file.h"

#define BLANKS " \t"

bool conf_text_is_valid(const char *s) {
        for (const char *c = s; *c; c++)
                if (((unsigned char) *c < ' ' && *c != '\t') || *c == 127)
                        return false;
        return utf8_is_valid(s, strlen(s));
}

static char last_of(const char *s) {
        return *s ? s[strlen(s) - 1] : '\0';
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

bool conf_value_is_plain(const char *s) {
        return conf_text_is_valid(s) && !is_blank(*s) && !is_blank(last_of(s)) &&
               last_of(s) != '\\';
}

/* No escape can put a quote into a quoted piece, so the word is made of pieces: "…"'"'"…". */
void nspawn_put_word(FILE *f, const char *s) {
        if (*s && !strpbrk(s, BLANKS "\"'\\")) {
                fputs(s, f);
                return;
        }
        fputc('"', f);
        for (; *s; s++)
                if (*s == '"')
                        fputs("\"'\"'\"", f);
                else
                        fputc(*s, f);
        fputc('"', f);
}

static void put_bind_path(FILE *f, const char *s) {
        for (; *s; s++) {
                if (*s == ':' || *s == '\\')
                        fputc('\\', f);
                fputc(*s, f);
        }
}

void nspawn_put_bind(FILE *f, const char *source, const char *target) {
        put_bind_path(f, source);
        fputc(':', f);
        put_bind_path(f, target);
        /* A blank at the end would be stripped: an empty list of options behind it keeps it. */
        if (is_blank(last_of(target)))
                fputc(':', f);
}

void unit_put_text(FILE *f, const char *s) {
        for (; *s; s++) {
                if (*s == '%')
                        fputc('%', f);
                fputc(*s, f);
        }
}

void unit_put_path(FILE *f, const char *s) {
        unit_put_text(f, s);
        /* A blank would be stripped, a backslash would take the next line in; systemd drops the
         * slash. */
        if (is_blank(last_of(s)) || last_of(s) == '\\')
                fputc('/', f);
}

static void put_quoted(FILE *f, const char *s, bool dollar) {
        fputc('"', f);
        for (; *s; s++) {
                if (*s == '"' || *s == '\\')
                        fputc('\\', f);
                else if (*s == '%' || (dollar && *s == '$'))
                        fputc(*s, f);
                fputc(*s, f);
        }
        fputc('"', f);
}

void unit_put_word(FILE *f, const char *s) {
        put_quoted(f, s, false);
}

void unit_put_argument(FILE *f, const char *s) {
        put_quoted(f, s, true);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/conf_word.h"

#define WHITESPACE " \t\n\r"

typedef struct WordReader {
        const char *p;
        char *out; /* as large as the rest of the text: no escape makes it longer */
        size_t length;
} WordReader;

/* n digits of the base, or fewer if the text has fewer: -1. */
static long digits(const char *s, size_t n, int base) {
        char copy[9] = "";
        char *end;
        long v;

        memcpy(copy, s, strnlen(s, n));
        if (strlen(copy) != n || strspn(copy, "0123456789abcdefABCDEF") != n)
                return -1;
        v = strtol(copy, &end, base);
        return *end ? -1 : v;
}

static void put_utf8(WordReader *w, uint32_t c) {
        if (c < 0x80) {
                w->out[w->length++] = (char) c;
                return;
        }
        if (c >= 0x10000) {
                w->out[w->length++] = (char) (0xf0 | c >> 18);
                w->out[w->length++] = (char) (0x80 | (c >> 12 & 0x3f));
        } else if (c >= 0x800)
                w->out[w->length++] = (char) (0xe0 | c >> 12);
        if (c >= 0x800)
                w->out[w->length++] = (char) (0x80 | (c >> 6 & 0x3f));
        else
                w->out[w->length++] = (char) (0xc0 | c >> 6);
        w->out[w->length++] = (char) (0x80 | (c & 0x3f));
}

/* A number behind the backslash: \xHH and \OOO are bytes, \uHHHH and \UHHHHHHHH characters. How
 * many characters of the text it took; 0 if it is none (NUL is none). */
static size_t take_number(WordReader *w) {
        size_t n = *w->p == 'x' ? 2 : *w->p == 'u' ? 4 : *w->p == 'U' ? 8 : 0;
        long v = n > 0 ? digits(w->p + 1, n, 16) : digits(w->p, 3, 8);

        if (v <= 0 || (n <= 2 && v > 0xff) || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
                return 0;
        if (n <= 2)
                w->out[w->length++] = (char) v;
        else
                put_utf8(w, (uint32_t) v);
        return n > 0 ? n + 1 : 3;
}

static void take_c_escape(WordReader *w) {
        static const char from[] = "abfnrtv\\\"'s", to[] = "\a\b\f\n\r\t\v\\\"' ";
        const char *known = strchr(from, *w->p);
        size_t n;

        if (known) {
                w->out[w->length++] = to[known - from];
                w->p++;
                return;
        }
        n = take_number(w);
        if (n == 0) {
                w->out[w->length++] = '\\';
                w->out[w->length++] = *w->p;
                n = 1;
        }
        w->p += n;
}

static int take_backslash(WordReader *w, ConfWordFlags flags) {
        w->p++;
        if (!*w->p && !(flags & CONF_WORD_C_ESCAPES))
                return -EINVAL;
        if (!*w->p)
                w->out[w->length++] = '\\';
        else if (flags & CONF_WORD_C_ESCAPES)
                take_c_escape(w);
        else
                w->out[w->length++] = *w->p++;
        return 0;
}

/* The quote that is open behind c, given the one that is open before it. */
static char quote_after(char quote, char c) {
        if (quote)
                return c == quote ? '\0' : quote;
        return c == '"' || c == '\'' ? c : '\0';
}

static int take_word(WordReader *w, ConfWordFlags flags) {
        char quote = '\0';

        while (*w->p && (quote || !strchr(WHITESPACE, *w->p))) {
                char after = quote_after(quote, *w->p);

                if (*w->p == '\\' && !(flags & CONF_WORD_PLAIN_BACKSLASH)) {
                        int r = take_backslash(w, flags);

                        if (r < 0)
                                return r;
                } else if (after == quote)
                        w->out[w->length++] = *w->p++;
                else {
                        quote = after;
                        w->p++;
                }
        }
        return quote ? -EINVAL : 0;
}

int conf_word_next(const char **p, ConfWordFlags flags, char **ret) {
        _cleanup_free_ char *out = NULL;
        WordReader w = { .p = *p + strspn(*p, WHITESPACE) };
        int r;

        if (!*w.p)
                return 0;

        w.out = out = malloc(strlen(w.p) + 1);
        if (!out)
                return -ENOMEM;

        r = take_word(&w, flags);
        if (r < 0)
                return r;

        out[w.length] = '\0';
        *p = w.p;
        *ret = TAKE_PTR(out);
        return 1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/archive_error.h"

#include <stdarg.h>

#define PATH_SHOWN 200

/* Bytes of the character at s; 0 if it is none of UTF-8, or a control character. */
static size_t character(const unsigned char *s) {
        size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
        uint32_t c = n == 1 ? s[0] : s[0] & (0xffU >> (n + 1));

        if (s[0] < ' ' || s[0] == 0x7f || (s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
                return 0;
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3f);
        }
        if ((c >= 0x80 && c < 0xa0) || (n == 3 && c < 0x800) || (n == 4 && c < 0x10000) ||
            (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
                return 0;
        return n;
}

/* NULL when memory is short. */
static char *escape(const char *path) {
        const unsigned char *s = (const unsigned char *) path;
        char *text = NULL;
        size_t size, n;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        while (*s && s < (const unsigned char *) path + PATH_SHOWN) {
                n = character(s);
                if (*s == '\n')
                        fputs("\\n", f);
                else if (n == 0)
                        fprintf(f, "\\x%02x", *s);
                else if (*s == '\\' || *s == '"')
                        fprintf(f, "\\%c", *s);
                else
                        fwrite(s, 1, n, f);
                s += n > 0 ? n : 1;
        }
        if (*s)
                fputs("…", f);
        if (fclose(f) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

int archive_error(Error **err, int code, const char *path, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *shown = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0) {
                text = NULL;
                return -code;
        }
        if (!path)
                return error_set(err, code, "%s", text);
        shown = escape(path);
        return error_set(err, code, "entry \"%s\": %s", shown ? shown : "…", text);
}

int archive_errno_error(Error **err, const char *path, const char *what) {
        int code = -negative_errno();

        return archive_error(err, code, path, "%s: %s", what, strerror(code));
}

int archive_locale_set(ArchiveLocale *l, const char *name) {
        l->own = newlocale(LC_CTYPE_MASK, name, (locale_t) 0);
        if (!l->own)
                return negative_errno();
        l->before = uselocale(l->own);
        return 0;
}

void archive_locale_done(ArchiveLocale *l) {
        if (!l->own)
                return;
        (void) uselocale(l->before);
        freelocale(l->own);
        *l = (ArchiveLocale){ 0 };
}

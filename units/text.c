/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/text.h"

#include <stdarg.h>

char *text_format(const char *format, ...) {
        va_list ap;
        char *s;
        int r;

        va_start(ap, format);
        r = vasprintf(&s, format, ap);
        va_end(ap);
        return r < 0 ? NULL : s;
}

char *text_join(const char *first, ...) {
        size_t n = 0;
        va_list ap;
        char *s, *end;

        va_start(ap, first);
        for (const char *part = first; part; part = va_arg(ap, const char *))
                n += strlen(part);
        va_end(ap);
        s = end = malloc(n + 1);
        if (!s)
                return NULL;

        va_start(ap, first);
        for (const char *part = first; part; part = va_arg(ap, const char *))
                end = mempcpy(end, part, strlen(part));
        va_end(ap);
        *end = '\0';
        return s;
}

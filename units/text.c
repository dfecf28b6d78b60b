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

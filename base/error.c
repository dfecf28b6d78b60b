/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/error.h"

#include <stdarg.h>

_printf_(5, 0) static int error_setv(Error **err, int code, const char *file, unsigned line,
                                     const char *format, va_list ap) {
        _cleanup_error_ Error *e = NULL;

        assert(code > 0);

        if (!err || *err)
                return -code;

        e = calloc(1, sizeof(*e));
        if (!e)
                return -code;

        e->code = code;
        e->line = line;
        if (vasprintf(&e->text, format, ap) < 0)
                e->text = NULL;
        if (file)
                e->file = strdup(file);

        *err = TAKE_PTR(e);
        return -code;
}

int error_set(Error **err, int code, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = error_setv(err, code, NULL, 0, format, ap);
        va_end(ap);
        return r;
}

int error_set_at(Error **err, int code, const char *file, unsigned line, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = error_setv(err, code, file, line, format, ap);
        va_end(ap);
        return r;
}

int error_prefix(Error **err, const char *format, ...) {
        _cleanup_free_ char *prefix = NULL, *text = NULL;
        va_list ap;
        int r;

        if (!err || !*err)
                return -EIO;

        va_start(ap, format);
        r = vasprintf(&prefix, format, ap);
        va_end(ap);
        if (r < 0) {
                prefix = NULL;
                return -(*err)->code;
        }

        if (asprintf(&text, "%s: %s", prefix,
                     (*err)->text ? (*err)->text : strerror((*err)->code)) < 0) {
                text = NULL;
                return -(*err)->code;
        }

        free((*err)->text);
        (*err)->text = TAKE_PTR(text);
        return -(*err)->code;
}

char *error_format(const Error *err) {
        const char *text;
        char *s = NULL;
        int r;

        assert(err);

        text = err->text ? err->text : strerror(err->code);
        if (err->file && err->line > 0)
                r = asprintf(&s, "%s:%u: %s", err->file, err->line, text);
        else if (err->file)
                r = asprintf(&s, "%s: %s", err->file, text);
        else
                r = asprintf(&s, "%s", text);

        return r < 0 ? NULL : s;
}

Error *error_free(Error *err) {
        if (!err)
                return NULL;

        free(err->text);
        free(err->file);
        free(err);
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/strv.h"

#include <stdarg.h>

size_t strv_length(char *const *v) {
        size_t n = 0;

        while (v && v[n])
                n++;
        return n;
}

bool strv_contains(char *const *v, const char *s) {
        for (; v && *v; v++)
                if (streq(*v, s))
                        return true;
        return false;
}

int strv_push(char ***v, char *s) {
        size_t n = strv_length(*v);
        char **grown;

        if (!s)
                return -ENOMEM;

        grown = reallocarray(*v, n + 2, sizeof(char *));
        if (!grown) {
                free(s);
                return -ENOMEM;
        }

        grown[n] = s;
        grown[n + 1] = NULL;
        *v = grown;
        return 0;
}

int strv_extend(char ***v, const char *s) {
        return strv_push(v, strdup(s));
}

int strv_extendf(char ***v, const char *format, ...) {
        va_list ap;
        char *s;
        int r;

        va_start(ap, format);
        r = vasprintf(&s, format, ap);
        va_end(ap);
        return r < 0 ? -ENOMEM : strv_push(v, s);
}

bool strv_remove(char **v, const char *s) {
        for (; v && *v; v++)
                if (streq(*v, s)) {
                        free(*v);
                        memmove(v, v + 1, (strv_length(v + 1) + 1) * sizeof(char *));
                        return true;
                }
        return false;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void strv_sort(char **v) {
        if (v)
                qsort(v, strv_length(v), sizeof(char *), compare);
}

bool strv_equal(char *const *a, char *const *b) {
        size_t n = strv_length(a);

        if (n != strv_length(b))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!streq(a[i], b[i]))
                        return false;
        return true;
}

int strv_copy(char *const *v, char ***ret) {
        _cleanup_strv_ char **copy = NULL;

        for (; v && *v; v++)
                if (strv_extend(&copy, *v) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(copy);
        return 0;
}

char *strv_join(char *const *v, const char *separator) {
        _cleanup_fclose_ FILE *f = NULL;
        char *s = NULL;
        size_t size;

        f = open_memstream(&s, &size);
        if (!f)
                return NULL;

        for (size_t i = 0; v && v[i]; i++)
                fprintf(f, "%s%s", i > 0 ? separator : "", v[i]);

        if (fclose(TAKE_PTR(f)) != 0) {
                free(s);
                return NULL;
        }
        return s;
}

char **strv_free(char **v) {
        STRV_FOREACH(s, v)
                free(*s);
        free(v);
        return NULL;
}

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ownership and small language helpers. GNU C (cleanup attribute, statement expressions) is
 * confined to this header.
 */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))

/* Moves ownership out of a variable that has a cleanup attribute: the variable is left empty. */
#define TAKE_PTR(p)                                                                                \
        ({                                                                                         \
                __typeof__(p) *_p = &(p);                                                          \
                __typeof__(p) _v = *_p;                                                            \
                *_p = NULL;                                                                        \
                _v;                                                                                \
        })
#define TAKE_FD(fd)                                                                                \
        ({                                                                                         \
                int *_f = &(fd);                                                                   \
                int _v = *_f;                                                                      \
                *_f = -1;                                                                          \
                _v;                                                                                \
        })

/* Defines `func##p`, the cleanup handler of a destructor that takes NULL: _cleanup_(foo_freep). */
#define DEFINE_CLEANUP(type, func)                                                                 \
        _unused_ static inline void func##p(type *p) {                                             \
                if (*p)                                                                            \
                        func(*p);                                                                  \
        }

static inline void freep(void *p) {
        free(*(void **) p);
}
static inline void closep(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}
DEFINE_CLEANUP(FILE *, fclose)

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}
/* Equality of strings that may both be absent. */
static inline bool streq_ptr(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}
/* The rest of s behind prefix, or NULL if s does not begin with it. */
static inline const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);
        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}
static inline bool endswith(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);
        return n >= m && streq(s + n - m, suffix);
}
static inline bool isempty(const char *s) {
        return !s || !*s;
}

/* Negative errno of a libc call that just failed; never 0, so that callers can rely on the sign. */
static inline int negative_errno(void) {
        int e = errno, r = e > 0 ? -e : -EIO;

        if (r >= 0)
                __builtin_unreachable(); /* said for the analyzer */
        return r;
}

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * String vectors: NULL-terminated arrays of owned strings. NULL is the empty vector.
 */

#include "base/macro.h"

#define STRV_FOREACH(s, v) for (char **s = (v); s && *s; s++)

size_t strv_length(char *const *v);
bool strv_contains(char *const *v, const char *s);

/* Append: -ENOMEM leaves the vector as it was. strv_push takes s over, also on failure. */
int strv_extend(char ***v, const char *s);
int strv_extendf(char ***v, const char *format, ...) _printf_(2, 3);
int strv_push(char ***v, char *s);

/* Removes the first s; false if it was not there. */
bool strv_remove(char **v, const char *s);

void strv_sort(char **v);
bool strv_equal(char *const *a, char *const *b);

/* A deep copy; NULL and -ENOMEM are told apart by the return value. */
int strv_copy(char *const *v, char ***ret);

/* The strings with separator between them; "" for the empty vector; NULL when memory is short. */
char *strv_join(char *const *v, const char *separator);

char **strv_free(char **v);
DEFINE_CLEANUP(char **, strv_free)
#define _cleanup_strv_ _cleanup_(strv_freep)

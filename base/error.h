#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Error: what a person is told when something they wrote or asked for is wrong.
 *
 * Used only where a user stands at the other end (XML, command line, bus method). The event core
 * passes plain negative errno values. A function that takes `Error **err` leaves it alone on
 * success, and on failure returns a negative errno and has set it (err itself may be NULL when the
 * caller does not want the sentence).
 */

#include "base/macro.h"

typedef struct Error {
        int code;      /* positive errno */
        char *text;    /* one sentence or more; no trailing newline */
        char *file;    /* where it stands, NULL if nowhere */
        unsigned line; /* 1-based, 0 if unknown */
} Error;

/* All of them return -code, so that `return error_set(err, EINVAL, "…");` reads well. If memory is
 * short, *err stays NULL and the code is returned all the same. An error already set is kept as it
 * is: the first cause is the one a person needs. */
int error_set(Error **err, int code, const char *format, ...) _printf_(3, 4);
int error_set_at(Error **err, int code, const char *file, unsigned line, const char *format, ...)
        _printf_(5, 6);

/* Puts "<prefix>: " before the text. Returns -code of the error, -EIO if there is none. */
int error_prefix(Error **err, const char *format, ...) _printf_(2, 3);

/* "FILE:LINE: text", "text", or strerror of the code for an error without text. Owned by the
 * caller; NULL only when memory is short. */
char *error_format(const Error *err);

Error *error_free(Error *err);
DEFINE_CLEANUP(Error *, error_free)
#define _cleanup_error_ _cleanup_(error_freep)

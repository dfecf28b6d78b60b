#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Errors about one entry of an archive, and the locale that libarchive needs.
 */

#include <locale.h>

#include "base/error.h"

/* Sets "entry "PATH": text", with the path's control characters escaped and a path that is very
 * long cut. path NULL: the text alone. Returns -code. */
int archive_error(Error **err, int code, const char *path, const char *format, ...) _printf_(4, 5);

/* As above, with ": " and what errno says. errno 0 is EIO. */
int archive_errno_error(Error **err, const char *path, const char *what);

/*
 * libarchive converts the names of pax headers between UTF-8 and the thread's locale. On reading it
 * keeps the bytes as they are where that fails, which in the locale "C" is always when it would
 * matter; in a UTF-8 locale it composes characters (NFC), so that names change. On writing it
 * marks names as binary, at which other programs stumble, if they are not UTF-8 in a UTF-8 locale.
 */
typedef struct ArchiveLocale {
        locale_t own;
        locale_t before;
} ArchiveLocale;

/* For this thread, until archive_locale_done(). -ENOMEM, -ENOENT */
int archive_locale_set(ArchiveLocale *l, const char *name);
void archive_locale_done(ArchiveLocale *l);
#define _cleanup_archive_locale_ _cleanup_(archive_locale_done)

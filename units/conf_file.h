#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The syntax that unit files and .nspawn files share (systemd.syntax(7); config_parse() of
 * systemd): sections, KEY=value, comments, continuation lines.
 */

#include "base/macro.h"

/* Called for every assignment within a section, in order. A negative result ends the reading. */
typedef int (*ConfHandler)(const char *section, const char *key, const char *value, void *userdata);

/*
 * Lines without '=', without a key, or before the first section are skipped, as systemd does after
 * a warning. Where systemd gives the whole file up, so do we, after the handler has seen what
 * stands before: -EBADMSG for a broken section header, -EINVAL for a line that is not UTF-8. NUL
 * bytes are -EINVAL before the handler is called at all.
 */
int conf_parse(const char *text, size_t size, ConfHandler handler, void *userdata);

/* The same for a file that is read for its own sake and whose author is to hear of mistakes: also
 * told are the line at which an assignment begins, and, with key NULL, a line that is skipped
 * (section NULL: before the first section). *ret_line is the line at which the reading ended. */
typedef int (*ConfLineHandler)(unsigned line, const char *section, const char *key,
                               const char *value, void *userdata);
int conf_parse_lines(const char *text, size_t size, ConfLineHandler handler, void *userdata,
                     unsigned *ret_line);

/* Reads a file as read_file_at() does, but takes a device (/dev/null: a masked file) as an empty
 * one. */
int conf_read(const char *path, size_t max, char **ret, size_t *ret_size);

/* Well-formed UTF-8, without surrogates and non-characters. */
bool utf8_is_valid(const char *s, size_t size);

/* The boolean spellings of systemd in any case: 1 or 0; -EINVAL for anything else. */
int conf_parse_boolean(const char *s);

/* A time span of systemd.time(7): "7d", "2h 30min", "1.5 h", "infinity" (UINT64_MAX); a number without
 * a unit is seconds. -EINVAL; -ERANGE for more than 64 bits of microseconds. */
int conf_parse_seconds(const char *s, uint64_t *ret_usec);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Words of a value, parted by white space and quoted as systemd reads them (extract_first_word() of
 * systemd).
 */

#include "base/macro.h"

typedef enum ConfWordFlags {
        CONF_WORD_PLAIN_BACKSLASH =
                1 << 0,               /* a backslash stands for itself: lists in .nspawn files */
        CONF_WORD_C_ESCAPES = 1 << 1, /* \n, \x41, \101, \u2014 …: ExecStart=. What is no escape
                                       * is kept as it stands. */
} ConfWordFlags;

/* Takes the next word off *p. Returns 1 with an owned word (maybe empty), 0 at the end, -EINVAL
 * when a quote is not closed, or (without CONF_WORD_C_ESCAPES) a backslash ends the text. */
int conf_word_next(const char **p, ConfWordFlags flags, char **ret);

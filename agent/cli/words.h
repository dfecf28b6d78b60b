#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands in one string, as virsh takes them: words parted by spaces, commands by ";" or a new
 * line, '...' and "..." as in a shell, "\" before any character, "#" begins a comment.
 */

#include "base/error.h"
#include "base/strv.h"

/* Takes the next command off *s. 1 and its words (one at least), 0 at the end of the string. */
int words_next(const char **s, char ***ret, Error **err);

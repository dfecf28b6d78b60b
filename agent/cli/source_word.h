#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The word behind bootstrap's --from, as a person types it: a path in it may be relative. The agent
 * has another working directory, and takes no "..".
 */

#include "base/macro.h"

/* The same word with an absolute path, if it is tar:, directory:, raw:, oci: or oci-archive: with a
 * relative one; others, and those in a folder that is not there, are copied. -ENOMEM. */
int source_word_absolute(const char *word, char **ret);

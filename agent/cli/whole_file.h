#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * WholeFile: a regular file that others write, which has its name only when it is whole: what had
 * that name until then is as it was. While it is written it has no name at all, so nothing stays
 * of it whatever happens to this process; where the filesystem cannot do that, a temporary one in
 * the same folder.
 */

#include "base/macro.h"

typedef struct WholeFile WholeFile;

/* What path (a symlink is followed) names is to be replaced, or made for its owner alone: what is
 * exported has shadow(5) and keys. -EISDIR, -EACCES if it must not be written, and what
 * openat(2) says of its folder. */
int whole_file_new(WholeFile **ret, const char *path);
/* Without a commit before: what was written is dropped. */
WholeFile *whole_file_free(WholeFile *f);
DEFINE_CLEANUP(WholeFile *, whole_file_free)
#define _cleanup_whole_file_ _cleanup_(whole_file_freep)

/* Open for writing; belongs to f. */
int whole_file_fd(const WholeFile *f);

/* It is whole: brings it to the disk, and gives it the name, and owner, group and mode of what it
 * replaces as far as that may be. Negative errno: the old one is there still. */
int whole_file_commit(WholeFile *f);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Raw disk images: files that are large and mostly holes.
 */

#include "agent/pool/pool_backend.h"

/* A copy under a new name, 0600: shared with the other where the filesystem can, with its holes
 * where not. -EEXIST, -ENOENT, -EINVAL for anything but a regular file. *ret_fd (may be NULL) is
 * the copy, open for reading. What is half done when it fails is left to the caller. */
int image_file_copy(int from_dir_fd, const char *from, int to_dir_fd, const char *to,
                    const TreeProgress *progress, int *ret_fd);

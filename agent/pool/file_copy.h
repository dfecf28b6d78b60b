#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is in a file, copied: shared where the filesystem can, with its holes where not.
 */

#include "agent/pool/pool_backend.h"

typedef struct FileCopy {
        bool no_clone; /* the filesystem has said that it cannot share, so it is not asked again */
        uint64_t done; /* bytes, for the progress */
        const TreeProgress *progress;
} FileCopy;

/* Into an empty file. path is for the progress. */
int file_copy_content(FileCopy *c, int from_fd, int to_fd, const char *path);

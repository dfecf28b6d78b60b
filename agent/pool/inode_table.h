#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * InodeTable: files that have several names, and the first of those names that was met.
 */

#include <sys/stat.h>

#include "base/macro.h"

typedef struct InodeKey {
        uint64_t device, inode;
        int64_t born_sec; /* an inode's number is given away again while a tree is walked */
        uint32_t born_nsec;
} InodeKey;

typedef struct InodeSlot {
        InodeKey key;
        char *path; /* NULL: free */
} InodeSlot;

typedef struct InodeTable {
        InodeSlot *slots;
        size_t n_slots, n_used;
} InodeTable;

void inode_table_done(InodeTable *t);

/* 1 if the file is new, and path is kept for it; 0 if not, and *ret_path is what was kept. -ENOMEM
 */
int inode_table_add(InodeTable *t, const struct statx *st, const char *path, const char **ret_path);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Items of btrfs' trees (BTRFS_IOC_TREE_SEARCH in linux/btrfs.h; what is in them: linux/btrfs_tree.h).
 * Root's work: CAP_SYS_ADMIN.
 */

#include "base/macro.h"

/* So many at most are found at once. */
#define BTRFS_SEARCH_MAX 64

/* Items of one objectid and type. */
typedef struct BtrfsRange {
        uint64_t tree, objectid, first, last; /* first and last: offsets */
        uint32_t type;
} BtrfsRange;

/* item: as it is on the disk, little endian, and size bytes long, which may be fewer than expected. */
typedef void (*BtrfsItemFunc)(void *userdata, uint64_t offset, const void *item, size_t size);

/* Calls each() with the first of them, in the order of their offsets. -ENOENT: there is no such
 * tree. */
int btrfs_search(int fd, const BtrfsRange *range, BtrfsItemFunc each, void *userdata);

/* Of the quota tree; UINT64_MAX for offset: any. -ENOENT: there is no quota. */
int btrfs_search_quota(int fd, uint32_t type, uint64_t objectid, uint64_t offset,
                       BtrfsItemFunc each, void *userdata);

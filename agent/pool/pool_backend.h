#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PoolBackend: what a filesystem can do for the trees in it, behind one table. A tree is named by
 * the fd of the folder that it is in and one name, which has been checked.
 */

#include "agent/pool/pool.h"

typedef struct TreeProgress TreeProgress;

/* Told now and then while a long operation goes on; a result other than 0 ends it with that. */
struct TreeProgress {
        int (*step)(void *userdata, uint64_t done_bytes, const char *path);
        void *userdata;
};

/* Those with an Error say which file it was; -EBUSY is a mount point, -ECANCELED and the like what
 * the progress function has returned. */
struct PoolBackend {
        const char *name;    /* "btrfs", "directory": pool-info's Type */
        bool snapshot_quick; /* a snapshot costs the same whatever the size of the tree */

        bool (*probe)(int fd);     /* is this what the filesystem at fd is? */
        bool (*has_quota)(int fd); /* limits are counted on this filesystem already */
        /* An empty tree, 0755 root. -EEXIST */
        int (*create)(int dir_fd, const char *name);
        /* A whole copy of a tree under a new name: snapshot, reflink or copy. -EEXIST, -ENOENT.
         * What is half done when it fails is left to the caller to remove. */
        int (*snapshot)(int from_fd, const char *from, int to_fd, const char *to, bool read_only,
                        const TreeProgress *progress, Error **err);
        /* A snapshot of it is there and on the disk, or is not: no name of its own is needed to
         * build it under. */
        bool (*snapshot_is_atomic)(int from_fd, const char *from);
        /* All of it; also what is read-only or immutable, and subvolumes in it. -EBUSY before
         * anything is removed if something is mounted in it. */
        int (*remove)(int dir_fd, const char *name, const TreeProgress *progress, Error **err);
        int (*get_read_only)(int dir_fd, const char *name, bool *ret);
        int (*set_read_only)(int dir_fd, const char *name, bool read_only);
        /* Bytes; *ret_limit UINT64_MAX: none. *ret_used UINT64_MAX: only known with quota, or being
         * counted. It is as old as the last sync. */
        int (*get_quota)(int dir_fd, const char *name, uint64_t *ret_used, uint64_t *ret_limit);
        /* UINT64_MAX takes the limit away. -EOPNOTSUPP: the filesystem or kernel has none. */
        int (*set_quota)(int dir_fd, const char *name, uint64_t limit, Error **err);
        /* 1: what is used is being counted. NULL: as is count_again(). */
        int (*is_counting)(int fd);
        /* What is used is counted again, in the background, if the other operations have made the
         * filesystem lose count; else nothing. may_be: it was being counted when they were called,
         * and may have lost count without a word. NULL: it never does. */
        int (*count_again)(int fd, bool may_be);
};

extern const PoolBackend pool_backend_btrfs;
extern const PoolBackend pool_backend_directory;

/* The first whose probe() says yes; never NULL, a plain directory is possible everywhere. */
const PoolBackend *pool_backend_find(int fd);

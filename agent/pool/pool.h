#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pool: the folder that holds the roots of containers, /var/lib/machines, as libvirt's storage
 * pools hold the disks of virtual machines; what is in it are volumes.
 *
 *   NAME        directory or btrfs subvolume, the root of container NAME
 *   NAME.raw    raw disk image
 *   .ctvirt/    0700, ours, on the same filesystem, so that a rename moves things in and out:
 *     new/ID              what job ID builds; renamed to its name when it is whole and synced
 *     new/ID-…            what else job ID needs while it builds (caches, images, a base)
 *     trash/ID-…          what is to be deleted: gone for everybody since it was renamed to here
 *     bases/KEY           read-only base, and bases/KEY.conf, what went into it
 *     snapshots/NAME/SNAP a container's snapshot, and SNAP.xml, what it is
 *     intents/ID          what job ID is changing in more than one step (pool_intent.h)
 *
 * The library neither logs nor knows the bus; agent and ctvirt-job use it alike. Every name that
 * comes in is checked, everything is opened relative to the pool's fd, no symlink is followed, no
 * mount is crossed.
 */

#include <sys/stat.h>

#include "base/error.h"

#define POOL_PATH "/var/lib/machines"
#define POOL_NAME "machines"
#define POOL_OWN_FOLDER ".ctvirt"
#define POOL_NEW POOL_OWN_FOLDER "/new"
#define POOL_TRASH POOL_OWN_FOLDER "/trash"
#define POOL_BASES POOL_OWN_FOLDER "/bases"
#define POOL_SNAPSHOTS POOL_OWN_FOLDER "/snapshots"
#define POOL_INTENTS POOL_OWN_FOLDER "/intents"

/* In the pool itself, followed by a job's ID: what systemd-importd pulls for it, which can only make
 * images that have names there; with ".raw" an image. Nobody's volume. */
#define POOL_IMPORT_PREFIX "ctvirt-job-"

/* In new/ID-work: the name under which systemd-importd keeps its own copy of what it pulls for the
 * job (agent/bootstrap/import_client.h), so that a job that was killed leaves none. */
#define POOL_WORK_SUFFIX "-work"
#define POOL_IMPORT_RECORD "importd"

typedef struct PoolBackend PoolBackend;

typedef struct Pool {
        char *path;
        int fd;                     /* O_DIRECTORY */
        const PoolBackend *backend; /* by what the filesystem is */
} Pool;

/* Opens the pool below root ("" on a host; for tests). It and its own folders are made (0700) if
 * they are missing. -ENOTDIR, -EPERM (not root's, or others may write to it: *err says what to
 * do), … */
int pool_open(const char *root, Pool **ret, Error **err);
/* For who must not make one, as pool_open() does: has there been a pool below root? */
bool pool_exists(const char *root);
Pool *pool_free(Pool *p);
DEFINE_CLEANUP(Pool *, pool_free)
#define _cleanup_pool_ _cleanup_(pool_freep)

typedef struct PoolInfo {
        uint64_t capacity, allocation, available; /* bytes, of the filesystem */
        bool has_quota;                           /* limits can be set without more ado */
} PoolInfo;

int pool_info(const Pool *p, PoolInfo *ret);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A btrfs filesystem of its own for the pool, on a block device or in an image file, and the mount
 * unit for it. The caller does what needs systemd, between the steps:
 *
 *   pool_build_check()       nothing is changed; all that can be refused is refused here
 *   pool_build_format()      makes the image file, runs mkfs.btrfs
 *   pool_build_write_unit()
 *                            -> daemon-reload, StartUnit, EnableUnitFiles POOL_MOUNT_UNIT
 *   pool_build_finish()      owner, mode and label of what is mounted now
 */

#include "agent/pool/pool.h"

#define POOL_MOUNT_UNIT "var-lib-machines.mount"
#define POOL_MOUNT_UNIT_PATH "/etc/systemd/system/" POOL_MOUNT_UNIT
#define POOL_BUILD_SIZE_MIN (UINT64_C(256) * 1024 * 1024)
#define POOL_BUILD_LABEL "machines"

typedef struct PoolBuild {
        const char *root;   /* "" on a host */
        const char *source; /* absolute path of a block device, or of an image file */
        uint64_t size;      /* of an image file that is to be made; 0: it is there already */
        bool overwrite;     /* also when there is data on it */
        /* Runs a program to its end; package: what it comes with. For pool_build_format(). */
        int (*run)(void *userdata, const char *const argv[], const char *package, Error **err);
        void *userdata;
} PoolBuild;

/* -EEXIST: data on it (the sentence says what), or somebody else's mount unit; -ENOTEMPTY: the pool
 * has something in it, and it would be hidden; -EBUSY: the pool or the device is mounted or in use
 * already; -EINVAL, -ENOSPC. */
int pool_build_check(const PoolBuild *b, Error **err);
int pool_build_format(const PoolBuild *b, Error **err);
int pool_build_write_unit(const PoolBuild *b, Error **err);
int pool_build_finish(const char *root, Error **err);

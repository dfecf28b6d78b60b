#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Project quotas of ext4 and xfs: all files of a tree carry the project's number, the filesystem
 * counts and limits what they take (quotactl(2), ioctl FS_IOC_FSSETXATTR). The kernel and the mount
 * must have them (mount option prjquota; ext4: mkfs or tune2fs -O project,quota); Linux 5.14.
 */

#include "base/error.h"

bool project_has_quota(int fd);

/* Of the tree at fd. UINT64_MAX as PoolBackend.get_quota. */
int project_get_quota(int fd, uint64_t *ret_used, uint64_t *ret_limit);

/* Gives the tree a project if it has none. -EOPNOTSUPP with what would help. */
int project_set_quota(int fd, uint64_t limit, Error **err);

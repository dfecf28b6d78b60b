#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Subvolumes of btrfs, by libbtrfsutil; with those in them, without following a symlink that a
 * stranger puts in the way. Root's work: CAP_SYS_ADMIN.
 */

#include "base/macro.h"

bool btrfs_is_filesystem(int fd);
bool btrfs_is_subvolume(int fd);

int btrfs_create_subvolume(int dir_fd, const char *name);
int btrfs_subvolume_id(int fd, uint64_t *ret);
/* CLOCK_REALTIME */
int btrfs_subvolume_created(int fd, uint64_t *ret_usec);

int btrfs_get_read_only(int fd, bool *ret);
int btrfs_set_read_only(int fd, bool read_only);

/* There are subvolumes in it. Negative errno. */
int btrfs_has_nested(int fd);
/* The ids of those. *ret is the caller's to free(). */
int btrfs_nested_ids(int fd, uint64_t **ret, size_t *ret_n);

/* Of the subvolume and those in it. On the disk when it returns, whole or not at all if there are
 * none in it. */
int btrfs_snapshot(int fd, int to_fd, const char *to, bool read_only);

/* -ENOTEMPTY: there are others in it. Also of one that is read-only. */
int btrfs_delete_subvolume(int dir_fd, const char *name);
/* Those in it. An error means only that some are left: a walk finds them. */
int btrfs_delete_nested(int fd);

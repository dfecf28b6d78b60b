#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Quota groups of btrfs (linux/btrfs_tree.h). Each subvolume has the group 0/ID; what limits it
 * here is its group 255/ID, of which it and the subvolumes in it are members, as with machinectl
 * set-limit. A limit that machinectl has set is found and changed, and the other way round.
 *
 * What makes the kernel lose count of them is in agent/pool/btrfs_count.h. To name no group for a
 * snapshot would avoid one of the ways, at the price of a group whose exclusive use is wrong, of
 * which newer kernels warn with a stack trace when it is removed.
 *
 * Changes go through top_fd, anything of the filesystem that is in no limited subvolume: the kernel
 * counts what they write in the quota tree towards the subvolume that the fd is of, -EDQUOT.
 */

#include "base/macro.h"

/* *ret_used UINT64_MAX: there is no quota, or it is still being counted. *ret_limit UINT64_MAX:
 * none. */
int btrfs_get_quota(int fd, uint64_t *ret_used, uint64_t *ret_limit);

/* Turns quota on for the whole filesystem if there is none and limit is one; what is used is
 * counted in the background then. A count that is under way is awaited before anything is put
 * into the group, -EINTR. Subvolumes that are made in it later belong to the limit when it
 * is set the next time. */
int btrfs_set_quota(int top_fd, int fd, uint64_t limit);

/* How many subvolumes in it do not count towards its limit; 0 if it has none. Who may write to a
 * folder may make subvolumes in it, also in a container, and the kernel puts them into no group but
 * their own (fs/btrfs/ioctl.c create_subvol(), without a btrfs_qgroup_inherit from the caller):
 * until the limit is set the next time they are outside of it. */
int btrfs_quota_outside(int fd, size_t *ret);

/* Removes the group 255/ID of a subvolume that is about to be deleted. 0/ID goes with the subvolume,
 * or stays behind empty: that is the kernel's to know (6.11 and newer refuse to remove it while the
 * subvolume is being cleaned). */
void btrfs_forget_quota(int top_fd, int fd);

/* Groups 255/ID without members, whose subvolume is no more: how many there are, or were, with
 * remove. */
int btrfs_sweep_quota(int fd, bool remove, size_t *ret);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether btrfs counts what the quota groups of a filesystem use, and that it counts again.
 *
 * The kernel loses count, and with it all limits of the filesystem, when a subvolume is snapshot that
 * is in a group of a higher level, or is put into one, or taken out of one, while it shares anything
 * with another; it says so in a flag, and leaves counting again (a "rescan") to whoever wants it
 * (fs/btrfs/qgroup.c btrfs_qgroup_inherit(), quick_update_accounting(), qgroup_mark_inconsistent()).
 *
 * The end of a count takes that flag away, also when the count was lost after that count had begun
 * (btrfs_qgroup_rescan_worker(): always when it was lost by the change of a group, and in the last
 * moment by a snapshot, of which the rest of the count is called off): then nothing tells any more.
 * So who makes it lose count has to know whether one was under way before.
 */

#include "base/macro.h"

bool btrfs_has_quota(int fd);

/* 1: what the groups use is known. 0: there is no quota, it is being counted, or the count is lost. */
int btrfs_count_is_whole(int fd);
/* 1: limits are not counted, and nobody counts again. */
int btrfs_count_is_lost(int fd);
/* 1: a count is under way. */
int btrfs_count_is_running(int fd);

/* Counts again in the background if the count is lost, or may_be: a count was under way when
 * something was done that can make it lose it. A count that goes on all the same was not hit and is
 * left alone; one that is at its end, or has been called off, is awaited, a second at most. */
int btrfs_count_again(int fd, bool may_be);

/* Counts in the background from now on; a count that is under way is awaited, which lasts as long as
 * it does (a minute for some millions of extents). -EINTR */
int btrfs_count_anew(int fd);

/* Until no count is under way. -EINTR */
int btrfs_count_wait(int fd);

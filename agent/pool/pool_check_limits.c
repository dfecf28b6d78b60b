/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>

#include "agent/pool/beneath.h"
#include "agent/pool/btrfs_count.h"
#include "agent/pool/btrfs_quota.h"
#include "agent/pool/btrfs_subvolume.h"
#include "agent/pool/pool_check_parts.h"

#define MIB (1024.0 * 1024.0)

static int mend_limit(const PoolCheck *c, int fd) {
        uint64_t used, limit;
        int r;

        if (!c->repair)
                return 0;
        r = btrfs_get_quota(fd, &used, &limit);
        return r < 0 ? r : btrfs_set_quota(c->fd, fd, limit);
}

static int check_use(PoolCheck *c, const char *name, int fd) {
        uint64_t used, limit;

        if (btrfs_get_quota(fd, &used, &limit) < 0 || used == UINT64_MAX || used <= limit)
                return 0;
        return pool_check_problem(
                c, false, 0,
                "'%s/%s' uses %.1f MiB, more than its limit of %.1f MiB: nothing can be "
                "written to it, and maybe nothing be deleted in it; 'ctvirt vol-resize %s "
                "SIZE' gives it more.",
                c->path, name, (double) used / MIB, (double) limit / MIB, name);
}

int pool_check_limit(PoolCheck *c, const char *name) {
        _cleanup_close_ int fd = beneath_open(c->fd, name, O_RDONLY | O_DIRECTORY);
        size_t outside;
        int r;

        if (fd < 0 || !btrfs_is_filesystem(fd) || !btrfs_is_subvolume(fd))
                return 0;
        r = check_use(c, name, fd);
        if (r < 0 || btrfs_quota_outside(fd, &outside) < 0 || outside == 0)
                return r;
        return pool_check_problem(
                c, true, mend_limit(c, fd),
                "%zu subvolumes in '%s/%s' were made since its limit was set, and do not "
                "count towards it.",
                outside, c->path, name);
}

static int check_stale_groups(PoolCheck *c) {
        size_t n;
        int r;

        r = btrfs_sweep_quota(c->fd, c->repair, &n);
        if (n == 0)
                return r;
        return pool_check_problem(
                c, true, r,
                "%zu quota groups of btrfs in '%s' (255/ID) are left of volumes that were "
                "deleted.",
                n, c->path);
}

int pool_check_limits(PoolCheck *c) {
        int r;

        if (c->fd < 0 || !btrfs_is_filesystem(c->fd))
                return 0;
        r = check_stale_groups(c);
        if (r < 0 || btrfs_count_is_lost(c->fd) <= 0)
                return r;
        return pool_check_problem(
                c, true, c->repair ? btrfs_count_again(c->fd, false) : 0,
                "The limits of the volumes in '%s' are not counted: btrfs has lost count of "
                "what they use, so all of them may grow without end.",
                c->path);
}

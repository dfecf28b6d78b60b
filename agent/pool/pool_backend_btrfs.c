/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Trees are subvolumes. A plain folder in such a pool is what the other backend has: it is copied
 * (into a subvolume, with the contents of files shared), and marked read-only by chattr.
 */

#include <fcntl.h>

#include "agent/pool/beneath.h"
#include "agent/pool/btrfs_count.h"
#include "agent/pool/btrfs_quota.h"
#include "agent/pool/btrfs_subvolume.h"
#include "agent/pool/pool_backend.h"
#include "agent/pool/tree_copy.h"
#include "agent/pool/tree_remove.h"

static int btrfs_create(int dir_fd, const char *name) {
        _cleanup_close_ int fd = -1;
        int r;

        r = btrfs_create_subvolume(dir_fd, name);
        if (r < 0)
                return r;
        fd = beneath_open(dir_fd, name, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return fd;
        return fchmod(fd, 0755) < 0 ? negative_errno() : 0; /* whatever the umask is */
}

static int copy_folder(int from_fd, int to_fd, const char *to, bool read_only,
                       const TreeProgress *progress, Error **err) {
        _cleanup_close_ int fd = -1;
        int r;

        r = btrfs_create_subvolume(to_fd, to);
        if (r < 0)
                return r;
        fd = beneath_open(to_fd, to, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return fd;
        r = tree_copy(from_fd, fd, progress, err);
        return r < 0 || !read_only ? r : btrfs_set_read_only(fd, true);
}

static int btrfs_backend_snapshot(int from_fd, const char *from, int to_fd, const char *to,
                                  bool read_only, const TreeProgress *progress, Error **err) {
        _cleanup_close_ int fd = -1;
        int r;

        fd = beneath_open(from_fd, from, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return error_set(err, -fd, "cannot open '%s': %s", from, strerror(-fd));
        r = btrfs_is_subvolume(fd) ? btrfs_snapshot(fd, to_fd, to, read_only)
                                   : copy_folder(fd, to_fd, to, read_only, progress, err);
        if (r < 0)
                return error_set(err, -r, "cannot copy '%s' to '%s': %s", from, to, strerror(-r));
        return 0;
}

static bool btrfs_snapshot_is_atomic(int from_fd, const char *from) {
        _cleanup_close_ int fd = beneath_open(from_fd, from, O_RDONLY | O_DIRECTORY);

        return fd >= 0 && btrfs_is_subvolume(fd) && btrfs_has_nested(fd) == 0;
}

/* Opens a tree: 1 for a subvolume, 0 for a plain folder, whose work the other backend does. */
static int open_tree(int dir_fd, const char *name, int *ret_fd) {
        *ret_fd = beneath_open(dir_fd, name, O_RDONLY | O_DIRECTORY);
        return *ret_fd < 0 ? *ret_fd : btrfs_is_subvolume(*ret_fd);
}

static int btrfs_backend_get_read_only(int dir_fd, const char *name, bool *ret) {
        _cleanup_close_ int fd = -1;
        int r = open_tree(dir_fd, name, &fd);

        if (r == 0)
                return pool_backend_directory.get_read_only(dir_fd, name, ret);
        return r < 0 ? r : btrfs_get_read_only(fd, ret);
}

static int btrfs_backend_set_read_only(int dir_fd, const char *name, bool read_only) {
        _cleanup_close_ int fd = -1;
        int r = open_tree(dir_fd, name, &fd);

        if (r == 0)
                return pool_backend_directory.set_read_only(dir_fd, name, read_only);
        return r < 0 ? r : btrfs_set_read_only(fd, read_only);
}

static int btrfs_backend_get_quota(int dir_fd, const char *name, uint64_t *ret_used,
                                   uint64_t *ret_limit) {
        _cleanup_close_ int fd = -1;
        int r = open_tree(dir_fd, name, &fd);

        *ret_used = *ret_limit = UINT64_MAX;
        return r <= 0 ? r : btrfs_get_quota(fd, ret_used, ret_limit);
}

static int btrfs_backend_set_quota(int dir_fd, const char *name, uint64_t limit, Error **err) {
        _cleanup_close_ int fd = -1;
        int r = open_tree(dir_fd, name, &fd);

        if (r == 0)
                return limit == UINT64_MAX
                               ? 0
                               : error_set(err, EOPNOTSUPP,
                                           "'%s' is a plain folder: btrfs can only limit "
                                           "subvolumes; a clone of it is one",
                                           name);
        if (r > 0)
                r = btrfs_set_quota(dir_fd, fd, limit);
        if (r < 0)
                return error_set(err, -r, "cannot set the limit of '%s': %s", name, strerror(-r));
        return 0;
}

const PoolBackend pool_backend_btrfs = {
        .name = "btrfs",
        .snapshot_quick = true,
        .probe = btrfs_is_filesystem,
        .has_quota = btrfs_has_quota,
        .create = btrfs_create,
        .snapshot = btrfs_backend_snapshot,
        .snapshot_is_atomic = btrfs_snapshot_is_atomic,
        .remove = tree_remove,
        .get_read_only = btrfs_backend_get_read_only,
        .set_read_only = btrfs_backend_set_read_only,
        .get_quota = btrfs_backend_get_quota,
        .set_quota = btrfs_backend_set_quota,
        .is_counting = btrfs_count_is_running,
        .count_again = btrfs_count_again,
};

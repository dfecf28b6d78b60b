/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "agent/pool/beneath.h"
#include "agent/pool/pool_backend.h"
#include "agent/pool/project_quota.h"
#include "agent/pool/tree_copy.h"
#include "agent/pool/tree_remove.h"

static bool directory_probe(int fd) {
        return true;
}

static int directory_create(int dir_fd, const char *name) {
        if (mkdirat(dir_fd, name, 0755) < 0 ||
            fchmodat(dir_fd, name, 0755, 0) < 0) /* whatever the umask is */
                return negative_errno();
        return 0;
}

/* As machined marks a folder as read-only: it is a word of honour for all that is below. */
static int directory_set_read_only(int dir_fd, const char *name, bool read_only) {
        return beneath_set_flags(dir_fd, name, read_only ? 0 : FS_IMMUTABLE_FL,
                                 read_only ? FS_IMMUTABLE_FL : 0);
}

static int directory_get_read_only(int dir_fd, const char *name, bool *ret) {
        struct statx st;
        int r;

        r = beneath_stat(dir_fd, name, &st);
        if (r < 0)
                return r;
        *ret = st.stx_attributes & STATX_ATTR_IMMUTABLE;
        return 0;
}

static int directory_snapshot(int from_fd, const char *from, int to_fd, const char *to,
                              bool read_only, const TreeProgress *progress, Error **err) {
        _cleanup_close_ int source = -1, target = -1;
        int r;

        source = beneath_open(from_fd, from, O_RDONLY | O_DIRECTORY);
        if (source < 0)
                return error_set(err, -source, "cannot open '%s': %s", from, strerror(-source));
        if (mkdirat(to_fd, to, 0700) < 0)
                return error_set(err, errno, "cannot make '%s': %s", to, strerror(errno));
        target = beneath_open(to_fd, to, O_RDONLY | O_DIRECTORY);
        if (target < 0)
                return error_set(err, -target, "cannot open '%s': %s", to, strerror(-target));

        r = tree_copy(source, target, progress, err);
        if (r < 0)
                return error_prefix(err, "cannot copy '%s'", from);
        r = directory_set_read_only(to_fd, to, read_only);
        if (r == -EOPNOTSUPP || r == -ENOTTY) /* tmpfs and the like */
                r = 0;
        return r < 0 ? error_set(err, -r, "cannot mark '%s' as read-only: %s", to, strerror(-r))
                     : 0;
}

static int directory_get_quota(int dir_fd, const char *name, uint64_t *ret_used,
                               uint64_t *ret_limit) {
        _cleanup_close_ int fd = beneath_open(dir_fd, name, O_RDONLY | O_DIRECTORY);

        return fd < 0 ? fd : project_get_quota(fd, ret_used, ret_limit);
}

static int directory_set_quota(int dir_fd, const char *name, uint64_t limit, Error **err) {
        _cleanup_close_ int fd = beneath_open(dir_fd, name, O_RDONLY | O_DIRECTORY);

        if (fd < 0)
                return error_set(err, -fd, "cannot open '%s': %s", name, strerror(-fd));
        return project_set_quota(fd, limit, err);
}

const PoolBackend pool_backend_directory = {
        .name = "directory",
        .probe = directory_probe,
        .has_quota = project_has_quota,
        .create = directory_create,
        .snapshot = directory_snapshot,
        .remove = tree_remove,
        .get_read_only = directory_get_read_only,
        .set_read_only = directory_set_read_only,
        .get_quota = directory_get_quota,
        .set_quota = directory_set_quota,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/beneath.h"

#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

int beneath_open(int dir_fd, const char *path, int flags) {
        const struct open_how how = {
                .flags = (uint64_t) (flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY) |
                                     (flags & (O_PATH | O_DIRECTORY) ? 0 : O_NONBLOCK)),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
        };
        long fd = syscall(SYS_openat2, dir_fd, *path ? path : ".", &how, sizeof(how));

        return fd < 0 ? negative_errno() : (int) fd;
}

int beneath_reopen(int fd, int flags) {
        char path[sizeof("/proc/self/fd/-2147483648")];
        int r;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%i", fd);
        r = open(path, flags | O_CLOEXEC | O_NOCTTY);
        return r < 0 ? negative_errno() : r;
}

int beneath_open_regular(int dir_fd, const char *name, int flags) {
        _cleanup_close_ int fd = beneath_open(dir_fd, name, O_PATH | O_NOFOLLOW);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return negative_errno();
        return S_ISREG(st.st_mode) ? beneath_reopen(fd, flags | O_NONBLOCK) : -ESTALE;
}

int beneath_stat(int dir_fd, const char *name, struct statx *ret) {
        if (statx(dir_fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH),
                  STATX_BASIC_STATS | STATX_BTIME, ret) < 0)
                return negative_errno();
        return 0;
}

bool beneath_is_mount(const struct statx *st) {
        return (st->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
               (st->stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static bool is_unsupported(int r) {
        return r == -ENOTTY || r == -EOPNOTSUPP || r == -ENOSYS;
}

int beneath_set_flags(int dir_fd, const char *name, unsigned clear, unsigned set) {
        _cleanup_close_ int fd = -1;
        unsigned flags = 0, wanted;

        fd = beneath_open(dir_fd, name, O_RDONLY | O_NOFOLLOW);
        if (fd < 0)
                return fd;
        if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0) {
                int r = negative_errno();

                return is_unsupported(r) && set == 0 ? 0 : r;
        }
        wanted = (flags & ~clear) | set;
        if (wanted != flags && ioctl(fd, FS_IOC_SETFLAGS, &wanted) < 0)
                return negative_errno();
        return 0;
}

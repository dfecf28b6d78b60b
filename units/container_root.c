/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/container_root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int container_root_open(const char *path) {
        struct stat st;
        int fd;

        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0)
                return fd;
        if (errno != ENOTDIR)
                return negative_errno();
        return lstat(path, &st) >= 0 && S_ISLNK(st.st_mode) ? -ELOOP : -ENOENT;
}

static int open_folder(int fd, const char *name) {
        struct open_how how = {
                .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long r = syscall(SYS_openat2, fd, name, &how, sizeof(how));

        return r < 0 ? negative_errno() : (int) r;
}

static int make_folder(int parent_fd, const char *name) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        if (fstat(parent_fd, &st) < 0 || (mkdirat(parent_fd, name, 0755) < 0 && errno != EEXIST))
                return negative_errno();
        fd = open_folder(parent_fd, name);
        if (fd < 0)
                return fd;
        if (fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, 0755) < 0)
                return negative_errno();
        return TAKE_FD(fd);
}

int container_root_folder(int root_fd, const char *path, bool create, unsigned *ret_created) {
        _cleanup_free_ char *copy = strdup(path);
        _cleanup_close_ int fd = -1;
        char *state = NULL;

        if (!copy)
                return -ENOMEM;
        *ret_created = 0;
        fd = open_folder(root_fd, ".");
        if (fd < 0)
                return fd;

        for (char *part = strtok_r(copy, "/", &state); part; part = strtok_r(NULL, "/", &state)) {
                int next = open_folder(fd, part);

                if (next == -ENOENT && create) {
                        next = make_folder(fd, part);
                        (*ret_created)++;
                }
                if (next < 0)
                        return next;
                (void) close(fd);
                fd = next;
        }
        return TAKE_FD(fd);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/container_root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define POOL "/var/lib/machines/"

static int open_folder(int fd, const char *name) {
        struct open_how how = {
                .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long r = syscall(SYS_openat2, fd, name, &how, sizeof(how));

        return r < 0 ? negative_errno() : (int) r;
}

/* Where symlinks are no longer followed, and the rest of the path from there. */
static int open_start(const char *host_root, const char *path, const char **ret_rest) {
        _cleanup_free_ char *start = NULL;
        const char *rest = startswith(path, POOL);
        int fd;

        if (asprintf(&start, "%s%s", host_root, rest ? POOL : "/") < 0)
                return -ENOMEM;
        if (!rest)
                rest = path;
        fd = open(start, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        *ret_rest = rest + strspn(rest, "/");
        return fd;
}

/* Also behind a bind mount. */
static bool is_host_root(int fd, const char *host_root) {
        struct stat st, host;

        return fstat(fd, &st) < 0 || stat(*host_root ? host_root : "/", &host) < 0 ||
               (st.st_dev == host.st_dev && st.st_ino == host.st_ino);
}

int container_root_open(const char *host_root, const char *path) {
        _cleanup_close_ int start_fd = -1, fd = -1;
        const char *rest;

        start_fd = open_start(host_root, path, &rest);
        if (start_fd < 0)
                return start_fd;
        fd = open_folder(start_fd, *rest ? rest : ".");
        if (fd < 0)
                return fd;
        return is_host_root(fd, host_root) ? -EPERM : TAKE_FD(fd);
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

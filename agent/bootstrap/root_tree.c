/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/root_tree.h"

#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "base/fileio.h"

#define XATTR_LABEL "security.selinux"
#define LABEL_MAX 4096
#define RACES_MAX 16 /* openat2() gives up with EAGAIN when a path changes under it */

static int open_in_root(int root_fd, const char *path, int flags) {
        struct open_how how = {
                .flags = (uint64_t) flags | O_CLOEXEC,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
        };
        long r = -1;

        for (unsigned i = 0; i < RACES_MAX; i++) {
                r = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
                if (r >= 0 || errno != EAGAIN)
                        break;
        }
        return r < 0 ? negative_errno() : (int) r;
}

static int make_folder(const RootTree *t, int parent_fd, const char *name) {
        _cleanup_close_ int fd = -1;

        if (mkdirat(parent_fd, name, 0755) < 0)
                return errno == EEXIST ? -ELOOP : negative_errno();
        fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        if (fchown(fd, t->shift, t->shift) < 0 || fchmod(fd, 0755) < 0)
                return negative_errno();
        return TAKE_FD(fd);
}

int root_tree_folder(const RootTree *t, const char *path, bool create) {
        _cleanup_free_ char *copy = NULL;
        char *end;
        int fd, parent;

        fd = open_in_root(t->fd, *path ? path : "/", O_RDONLY | O_DIRECTORY);
        if (fd != -ENOENT || !create)
                return fd;

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        end = strrchr(copy, '/');
        if (!end || !end[1])
                return -EINVAL;
        *end = '\0';
        parent = root_tree_folder(t, copy, true);
        if (parent < 0)
                return parent;
        fd = make_folder(t, parent, end + 1);
        (void) close(parent);
        return fd;
}

/* The folder that path lies in, and its last part. */
static int open_parent(const RootTree *t, const char *path, bool create, const char **ret_name) {
        _cleanup_free_ char *folder = NULL;
        const char *slash = strrchr(path, '/');

        assert(slash && slash[1]);

        folder = strndup(path, (size_t) (slash - path));
        if (!folder)
                return -ENOMEM;
        *ret_name = slash + 1;
        return root_tree_folder(t, folder, create);
}

int root_tree_stat(const RootTree *t, const char *path, struct stat *ret) {
        _cleanup_close_ int fd = -1;
        const char *name;

        fd = open_parent(t, path, false, &name);
        if (fd < 0)
                return fd;
        return fstatat(fd, name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? negative_errno() : 0;
}

bool root_tree_exists(const RootTree *t, const char *path) {
        _cleanup_close_ int fd = open_in_root(t->fd, path, O_PATH);

        return fd >= 0;
}

/* Opening a device can do something already, so what it is is known before. */
static int reopen_regular(int path_fd, size_t max) {
        char path[sizeof("/proc/self/fd/") + 11];
        struct stat st;
        int fd;

        if (fstat(path_fd, &st) < 0)
                return negative_errno();
        if (S_ISLNK(st.st_mode))
                return -ELOOP;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (st.st_size > 0 && (uint64_t) st.st_size > max)
                return -EFBIG;
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
        fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        return fd < 0 ? negative_errno() : fd;
}

int root_tree_open(const RootTree *t, const char *path, size_t max, bool follow) {
        _cleanup_close_ int fd = -1;

        fd = open_in_root(t->fd, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
        return fd < 0 ? fd : reopen_regular(fd, max);
}

int root_tree_read(const RootTree *t, const char *path, size_t max, bool follow, char **ret) {
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        fd = root_tree_open(t, path, max, follow);
        if (fd < 0)
                return fd;
        r = read_stream(fd, max, &text, &size);
        if (r < 0)
                return r;
        if (strlen(text) != size)
                return -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}

bool root_tree_has_program(const RootTree *t, const char *path) {
        _cleanup_close_ int fd = root_tree_open(t, path, SIZE_MAX, true);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) >= 0 && (st.st_mode & 0111) != 0;
}

static int temporary_name(const char *name, char **ret) {
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return negative_errno();
        return asprintf(ret, ".#%.200s.%016llx", name, (unsigned long long) random) < 0 ? -ENOMEM
                                                                                        : 0;
}

/* By O_PATH, so also of what cannot be opened. File systems without labels are fine. */
static int copy_label(int folder_fd, const char *name, int to_fd) {
        char path[sizeof("/proc/self/fd/") + 11], label[LABEL_MAX];
        _cleanup_close_ int fd = -1;
        struct stat st;
        ssize_t n;

        fd = openat(folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : negative_errno();
        if (fstat(fd, &st) < 0)
                return negative_errno();
        if (!S_ISREG(st.st_mode))
                return 0;
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n = getxattr(path, XATTR_LABEL, label, sizeof(label));
        if (n < 0)
                return errno == ENODATA || errno == EOPNOTSUPP ? 0 : negative_errno();
        return fsetxattr(to_fd, XATTR_LABEL, label, (size_t) n, 0) < 0 ? negative_errno() : 0;
}

static int write_all(int fd, const char *content) {
        size_t size = strlen(content);

        while (size > 0) {
                ssize_t n = write(fd, content, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                content += n;
                size -= (size_t) n;
        }
        return 0;
}

static int fill(int fd, int folder_fd, const char *name, const char *content, mode_t mode,
                const RootOwner *owner) {
        int r;

        r = write_all(fd, content);
        if (r < 0)
                return r;
        if (fchown(fd, owner->uid, owner->gid) < 0 || fchmod(fd, mode & 0777) < 0)
                return negative_errno();
        r = copy_label(folder_fd, name, fd);
        if (r < 0)
                return r;
        return fsync(fd) < 0 ? negative_errno() : 0;
}

int root_tree_write(const RootTree *t, const char *path, const char *content, mode_t mode,
                    const RootOwner *owner) {
        const RootOwner root = { t->shift, t->shift };
        _cleanup_close_ int folder_fd = -1, fd = -1;
        _cleanup_free_ char *temporary = NULL;
        const char *name;
        int r;

        folder_fd = open_parent(t, path, true, &name);
        if (folder_fd < 0)
                return folder_fd;
        r = temporary_name(name, &temporary);
        if (r < 0)
                return r;
        fd = openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600);
        if (fd < 0)
                return negative_errno();

        r = fill(fd, folder_fd, name, content, mode, owner ? owner : &root);
        if (r >= 0 && renameat(folder_fd, temporary, folder_fd, name) < 0)
                r = negative_errno();
        if (r < 0) {
                (void) unlinkat(folder_fd, temporary, 0);
                return r;
        }
        return fsync(folder_fd) < 0 ? negative_errno() : 0;
}

int root_tree_link(const RootTree *t, const char *path, const char *target) {
        _cleanup_free_ char *temporary = NULL, *old = NULL;
        _cleanup_close_ int folder_fd = -1;
        const char *name;
        int r;

        if (root_tree_read_link(t, path, &old) >= 0 && streq(old, target))
                return 0;
        folder_fd = open_parent(t, path, true, &name);
        if (folder_fd < 0)
                return folder_fd;
        r = temporary_name(name, &temporary);
        if (r < 0)
                return r;
        if (symlinkat(target, folder_fd, temporary) < 0)
                return negative_errno();
        if (fchownat(folder_fd, temporary, t->shift, t->shift, AT_SYMLINK_NOFOLLOW) < 0 ||
            renameat(folder_fd, temporary, folder_fd, name) < 0) {
                r = negative_errno();
                (void) unlinkat(folder_fd, temporary, 0);
                return r;
        }
        return 0;
}

int root_tree_read_link(const RootTree *t, const char *path, char **ret) {
        _cleanup_close_ int folder_fd = -1;
        char target[4096];
        const char *name;
        ssize_t n;

        folder_fd = open_parent(t, path, false, &name);
        if (folder_fd < 0)
                return folder_fd;
        n = readlinkat(folder_fd, name, target, sizeof(target));
        if (n < 0)
                return negative_errno();
        if ((size_t) n == sizeof(target))
                return -ENAMETOOLONG;
        *ret = strndup(target, (size_t) n);
        return *ret ? 0 : -ENOMEM;
}

int root_tree_remove(const RootTree *t, const char *path) {
        _cleanup_close_ int folder_fd = -1;
        const char *name;

        folder_fd = open_parent(t, path, false, &name);
        if (folder_fd < 0)
                return folder_fd == -ENOENT ? 0 : folder_fd;
        return unlinkat(folder_fd, name, 0) < 0 && errno != ENOENT ? negative_errno() : 0;
}

static const char *reason(int r) {
        switch (r) {
        case -ELOOP:
                return "a symbolic link that leads nowhere or to itself is in the way, or one "
                       "stands where a file belongs";
        case -EINVAL:
                return "it is neither a file nor a folder";
        case -EISDIR:
                return "it is a folder";
        case -EFBIG:
                return "it is too large to be what it is named for";
        case -EBADMSG:
                return "it has bytes that do not belong there";
        case -EXDEV:
                return "something else is mounted on the way to it";
        }
        return strerror(-r);
}

int root_tree_error(Error **err, int r, const char *doing, const char *path) {
        return error_set(err, -r, "Cannot %s %s in the root tree: %s", doing, path, reason(r));
}

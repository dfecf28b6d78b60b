/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/tree_copy.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/sysmacros.h>

#include "agent/pool/file_copy.h"
#include "agent/pool/inode_table.h"
#include "agent/pool/tree_progress.h"
#include "agent/pool/tree_walk.h"
#include "agent/pool/xattr_copy.h"

/* A file or folder that nobody may change: so it gets that only when all is in place. */
typedef struct Protected {
        char *path;
        unsigned flags;
} Protected;

typedef struct Copy {
        int root_fd; /* of the target */
        int dir_fd;  /* the target's folder, while the source's is walked */
        InodeTable links;
        FileCopy content;
        Protected *protected;
        size_t n_protected;
} Copy;

static void copy_done(Copy *c) {
        if (c->dir_fd >= 0)
                (void) close(c->dir_fd);
        inode_table_done(&c->links);
        for (size_t i = 0; i < c->n_protected; i++)
                free(c->protected[i].path);
        free(c->protected);
}

static int remember_protected(Copy *c, const char *path, const struct statx *st) {
        unsigned flags = (st->stx_attributes & STATX_ATTR_IMMUTABLE ? FS_IMMUTABLE_FL : 0u) |
                         (st->stx_attributes & STATX_ATTR_APPEND ? FS_APPEND_FL : 0u);
        Protected *grown;

        if (flags == 0)
                return 0;
        grown = reallocarray(c->protected, c->n_protected + 1, sizeof(Protected));
        if (!grown)
                return -ENOMEM;
        c->protected = grown;
        grown[c->n_protected] = (Protected){ .path = strdup(path), .flags = flags };
        if (!grown[c->n_protected].path)
                return -ENOMEM;
        c->n_protected++;
        return 0;
}

static int protect_all(Copy *c) {
        for (size_t i = 0; i < c->n_protected; i++) {
                const Protected *p = &c->protected[i];
                int r = beneath_set_flags(c->root_fd, p->path, 0, p->flags);

                if (r < 0 && r != -EOPNOTSUPP && r != -ENOTTY)
                        return r;
        }
        return 0;
}

static void times_of(const struct statx *st, struct timespec ret[2]) {
        ret[0] = (struct timespec){ .tv_sec = st->stx_atime.tv_sec,
                                    .tv_nsec = st->stx_atime.tv_nsec };
        ret[1] = (struct timespec){ .tv_sec = st->stx_mtime.tv_sec,
                                    .tv_nsec = st->stx_mtime.tv_nsec };
}

/* The owner first: a change of it takes set-user-ID bits and capabilities away. */
static int copy_attributes(int from_fd, int to_fd, const struct statx *st) {
        struct timespec times[2];
        int r;

        if (fchown(to_fd, st->stx_uid, st->stx_gid) < 0 || fchmod(to_fd, st->stx_mode & 07777) < 0)
                return negative_errno();
        r = xattr_copy(from_fd, to_fd);
        if (r < 0)
                return r;
        times_of(st, times);
        return futimens(to_fd, times) < 0 ? negative_errno() : 0;
}

static int copy_attributes_at(const Copy *c, const TreeEntry *e) {
        struct timespec times[2];
        int r;

        if (fchownat(c->dir_fd, e->name, e->st->stx_uid, e->st->stx_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return negative_errno();
        if (!S_ISLNK(e->st->stx_mode) &&
            fchmodat(c->dir_fd, e->name, e->st->stx_mode & 07777, 0) < 0)
                return negative_errno();
        r = xattr_copy_at(e->dir_fd, e->name, c->dir_fd, e->name);
        if (r < 0)
                return r;
        times_of(e->st, times);
        return utimensat(c->dir_fd, e->name, times, AT_SYMLINK_NOFOLLOW) < 0 ? negative_errno() : 0;
}

static int copy_symlink(Copy *c, const TreeEntry *e) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(e->dir_fd, e->name, target, sizeof(target));

        if (n < 0)
                return errno == EINVAL ? -ESTALE : negative_errno();
        if (n >= (ssize_t) sizeof(target))
                return -ENAMETOOLONG;
        target[n] = '\0';
        if (symlinkat(target, c->dir_fd, e->name) < 0)
                return negative_errno();
        return copy_attributes_at(c, e);
}

static int copy_node(Copy *c, const TreeEntry *e) {
        if (mknodat(c->dir_fd, e->name, (e->st->stx_mode & S_IFMT) | 0600,
                    makedev(e->st->stx_rdev_major, e->st->stx_rdev_minor)) < 0)
                return negative_errno();
        return copy_attributes_at(c, e);
}

static int copy_file(Copy *c, const TreeEntry *e) {
        _cleanup_close_ int from = -1, to = -1;
        struct statx st;
        int r;

        from = beneath_open_regular(e->dir_fd, e->name, O_RDONLY | O_NOATIME);
        if (from == -EPERM)
                from = beneath_open_regular(e->dir_fd, e->name, O_RDONLY);
        if (from < 0)
                return from;
        r = beneath_stat(from, "", &st);
        if (r < 0)
                return r;

        to = openat(c->dir_fd, e->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (to < 0)
                return negative_errno();
        r = file_copy_content(&c->content, from, to, e->path);
        if (r < 0)
                return r;
        return copy_attributes(from, to, &st);
}

/* Everything but folders; 0 is done as well. */
static int copy_thing(Copy *c, const TreeEntry *e) {
        switch (e->st->stx_mode & S_IFMT) {
        case S_IFREG:
                return copy_file(c, e);
        case S_IFLNK:
                return copy_symlink(c, e);
        case S_IFSOCK:
                return 0;
        }
        return copy_node(c, e);
}

static int copy_linked(Copy *c, const TreeEntry *e) {
        const char *first;
        int r;

        r = inode_table_add(&c->links, e->st, e->path, &first);
        if (r < 0)
                return r;
        if (r > 0)
                return copy_thing(c, e);
        if (linkat(c->root_fd, first, c->dir_fd, e->name, 0) >= 0)
                return 0;
        /* The first could not be copied because it was gone; or has all the names that it may have.
         */
        return errno == ENOENT || errno == EMLINK ? copy_thing(c, e) : negative_errno();
}

static int copy_entry(void *userdata, const TreeEntry *e) {
        Copy *c = userdata;
        bool mount = beneath_is_mount(e->st);
        int r;

        r = tree_progress(c->content.progress, c->content.done, e->path);
        if (r != 0)
                return r;
        if (S_ISDIR(e->st->stx_mode)) {
                if (mkdirat(c->dir_fd, e->name, mount ? 0755 : 0700) < 0)
                        return negative_errno();
                return !mount;
        }
        if (mount || S_ISSOCK(e->st->stx_mode))
                return 0;
        r = remember_protected(c, e->path, e->st);
        if (r < 0)
                return r;
        return e->st->stx_nlink > 1 ? copy_linked(c, e) : copy_thing(c, e);
}

static int copy_enter(void *userdata, int fd, const char *path, const struct statx *st) {
        Copy *c = userdata;

        c->dir_fd = beneath_open(c->root_fd, path, O_RDONLY | O_DIRECTORY);
        return c->dir_fd < 0 ? c->dir_fd : 0;
}

static int copy_leave(void *userdata, int fd, const char *path, const struct statx *st) {
        Copy *c = userdata;
        int r;

        r = copy_attributes(fd, c->dir_fd, st);
        if (r >= 0)
                r = remember_protected(c, path, st);
        (void) close(TAKE_FD(c->dir_fd));
        return r;
}

static int identify(int fd, struct statx *ret) {
        return statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, ret) < 0 ? negative_errno()
                                                                               : 0;
}

static bool is_same(const struct statx *a, const struct statx *b) {
        return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
               a->stx_dev_minor == b->stx_dev_minor;
}

/* 1: it is that folder, or lies below it without a mount in between. */
static int lies_in(int fd, int folder_fd) {
        _cleanup_close_ int at = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        struct statx folder, here, above;
        int r = at < 0 ? negative_errno() : identify(folder_fd, &folder);

        if (r >= 0)
                r = identify(at, &here);
        while (r >= 0) {
                int up;

                if (is_same(&here, &folder))
                        return 1;
                up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (up < 0)
                        return negative_errno();
                (void) close(at);
                at = up;
                r = identify(at, &above);
                if (r >= 0 && (above.stx_mnt_id != here.stx_mnt_id || is_same(&above, &here)))
                        return 0;
                here = above;
        }
        return r;
}

int tree_copy(int from_fd, int to_fd, const TreeProgress *progress, Error **err) {
        static const TreeVisitor visitor = {
                .enter = copy_enter,
                .entry = copy_entry,
                .leave = copy_leave,
        };
        _cleanup_(copy_done)
                Copy c = { .root_fd = to_fd, .dir_fd = -1, .content = { .progress = progress } };
        int r;

        r = lies_in(to_fd, from_fd);
        if (r > 0)
                return error_set(
                        err, EINVAL,
                        "the copy is made in the pool, which lies in that folder: it would "
                        "have itself in it");
        if (r >= 0)
                r = tree_walk(from_fd, &visitor, &c, err);
        if (r < 0)
                return r;
        r = protect_all(&c);
        if (r < 0)
                return error_set(err, -r, "cannot give a file the attributes of chattr(1): %s",
                                 strerror(-r));
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/tree_remove.h"

#include <dirent.h>
#include <linux/fs.h>

#include "agent/pool/beneath.h"
#include "agent/pool/btrfs_quota.h"
#include "agent/pool/btrfs_subvolume.h"
#include "agent/pool/tree_mounts.h"
#include "agent/pool/tree_progress.h"
#include "units/dir_list.h"

/* Folders, and subvolumes, that are opened one within the other. What lies deeper is moved up, so
 * that no tree needs more descriptors or stack. */
#define DEPTH_MAX 32
#define NESTING_MAX 8

#define BTRFS_ROOT_INODE 256 /* BTRFS_FIRST_FREE_OBJECTID: the root of each subvolume */

DEFINE_CLEANUP(DIR *, closedir)

typedef struct Removal {
        int pool_fd;       /* where the tree is: in nothing that has a limit */
        int outer_fd;      /* the whole tree: subvolumes are moved to here */
        int top_fd;        /* the subvolume: its folders are moved to here */
        unsigned nesting;  /* of subvolumes */
        unsigned *counter; /* for names of what is moved */
        const TreeProgress *progress;
        char **where; /* the name at which it failed */
} Removal;

static int fail(const Removal *rm, const char *name, int r) {
        if (!*rm->where)
                *rm->where = strdup(name);
        return r;
}

/* chattr's "i" and "a" of a thing and of the folder that it is in; a read-only subvolume too. */
static int unprotect(int dir_fd, const char *name) {
        struct statx st;
        int r;

        if (btrfs_is_filesystem(dir_fd))
                (void) btrfs_set_read_only(dir_fd, false);
        r = beneath_set_flags(dir_fd, "", FS_IMMUTABLE_FL | FS_APPEND_FL, 0);
        if (r >= 0)
                r = beneath_stat(dir_fd, name, &st);
        if (r < 0 || (!S_ISREG(st.stx_mode) && !S_ISDIR(st.stx_mode)))
                return r;
        return beneath_set_flags(dir_fd, name, FS_IMMUTABLE_FL | FS_APPEND_FL, 0);
}

static int try_unlink(int dir_fd, const char *name, int flags) {
        if (unlinkat(dir_fd, name, flags) >= 0)
                return 0;
        return negative_errno();
}

/* Removes a file or an empty folder. */
static int unlink_hard(int dir_fd, const char *name, int flags) {
        int r = try_unlink(dir_fd, name, flags);

        if ((r == -EPERM || r == -EACCES || r == -EROFS) && unprotect(dir_fd, name) >= 0)
                r = try_unlink(dir_fd, name, flags);
        return r;
}

static int try_move(int dir_fd, const char *name, int to_fd, unsigned *counter) {
        for (;;) {
                char to[32];

                (void) snprintf(to, sizeof(to), ".up-%u", (*counter)++);
                if (renameat2(dir_fd, name, to_fd, to, RENAME_NOREPLACE) >= 0)
                        return 0;
                if (errno != EEXIST)
                        return negative_errno();
        }
}

static int move_up(const Removal *rm, int dir_fd, const char *name, int to_fd) {
        int r = try_move(dir_fd, name, to_fd, rm->counter);

        if ((r == -EPERM || r == -EACCES || r == -EROFS) && unprotect(dir_fd, name) >= 0)
                r = try_move(dir_fd, name, to_fd, rm->counter);
        return r;
}

static int remove_children(const Removal *rm, int fd, unsigned depth);

static int empty_and_remove(const Removal *rm, int dir_fd, const char *name, int fd,
                            unsigned depth) {
        int r;

        /* What was moved up to here, or made meanwhile, is not seen in the first pass. */
        do {
                r = remove_children(rm, fd, depth);
                if (r >= 0)
                        r = unlink_hard(dir_fd, name, AT_REMOVEDIR);
        } while (r == -ENOTEMPTY);
        return r;
}

static int remove_subvolume(const Removal *rm, int dir_fd, const char *name, int fd) {
        Removal inner = *rm;
        int r;

        btrfs_forget_quota(rm->pool_fd, fd);
        r = btrfs_delete_subvolume(dir_fd, name);
        if (r == -EROFS && unprotect(dir_fd, name) >= 0)
                r = btrfs_delete_subvolume(dir_fd, name);
        if (r != -ENOTEMPTY)
                return r;
        if (btrfs_delete_nested(fd) >= 0)
                return btrfs_delete_subvolume(dir_fd, name);

        (void) btrfs_set_read_only(fd, false);
        if (rm->nesting >= NESTING_MAX)
                return move_up(rm, dir_fd, name, rm->outer_fd);
        inner.top_fd = fd;
        inner.nesting++;
        return empty_and_remove(&inner, dir_fd, name, fd, 0);
}

static int remove_folder(const Removal *rm, int dir_fd, const char *name, unsigned depth) {
        _cleanup_close_ int fd = -1;
        struct statx st;
        int r;

        r = unlink_hard(dir_fd, name, AT_REMOVEDIR);
        if (r != -ENOTEMPTY && r != -EEXIST && r != -EPERM)
                return r;

        fd = beneath_open(dir_fd, name, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return fd;
        r = beneath_stat(fd, "", &st);
        if (r < 0)
                return r;
        if (st.stx_ino == BTRFS_ROOT_INODE && btrfs_is_filesystem(fd))
                return remove_subvolume(rm, dir_fd, name, fd);
        if (depth >= DEPTH_MAX)
                return move_up(rm, dir_fd, name, rm->top_fd);
        return empty_and_remove(rm, dir_fd, name, fd, depth + 1);
}

static int remove_thing(const Removal *rm, int dir_fd, const char *name, unsigned char type,
                        unsigned depth) {
        int r;

        r = tree_progress(rm->progress, 0, name);
        if (r < 0)
                return r;
        if (type == DT_UNKNOWN) {
                struct statx st;

                r = beneath_stat(dir_fd, name, &st);
                if (r < 0)
                        return r;
                type = IFTODT(st.stx_mode);
        }
        return type == DT_DIR ? remove_folder(rm, dir_fd, name, depth)
                              : unlink_hard(dir_fd, name, 0);
}

static int remove_children(const Removal *rm, int fd, unsigned depth) {
        _cleanup_(closedirp) DIR *d = NULL;
        int opened = dir_open(fd, &d);

        if (opened < 0)
                return opened;
        for (;;) {
                const struct dirent *e;
                int r;

                errno = 0;
                e = readdir(d);
                if (!e)
                        return errno > 0 ? negative_errno() : 0;
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                r = remove_thing(rm, fd, e->d_name, e->d_type, depth);
                if (r < 0 && r != -ENOENT)
                        return fail(rm, e->d_name, r);
        }
}

static int remove_root(const Removal *rm, int dir_fd, const char *name, const struct statx *st) {
        _cleanup_close_ int fd = -1;
        Removal root = *rm;

        if (!S_ISDIR(st->stx_mode))
                return unlink_hard(dir_fd, name, 0);

        fd = beneath_open(dir_fd, name, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return fd;
        root.pool_fd = dir_fd;
        root.outer_fd = root.top_fd = fd;
        if (st->stx_ino == BTRFS_ROOT_INODE && btrfs_is_filesystem(fd))
                return remove_subvolume(&root, dir_fd, name, fd);
        return empty_and_remove(&root, dir_fd, name, fd, 0);
}

int tree_remove(int dir_fd, const char *name, const TreeProgress *progress, Error **err) {
        _cleanup_free_ char *mount = NULL, *where = NULL;
        unsigned counter = 0;
        const Removal rm = { .counter = &counter, .progress = progress, .where = &where };
        struct statx st;
        int r;

        r = beneath_stat(dir_fd, name, &st);
        if (r < 0)
                return error_set(err, -r, "cannot look at '%s': %s", name, strerror(-r));
        r = tree_find_mount(dir_fd, name, &mount);
        if (r < 0)
                return error_set(err, -r, "cannot find out what is mounted: %s", strerror(-r));
        if (r > 0)
                return error_set(err, EBUSY,
                                 "something is mounted on '%s': nothing was removed; unmount it "
                                 "first",
                                 mount);

        r = remove_root(&rm, dir_fd, name, &st);
        if (r < 0)
                return error_set(err, -r, "cannot remove '%s' (at '%s'): %s", name,
                                 where ? where : name, strerror(-r));
        return 0;
}

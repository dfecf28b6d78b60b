/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/btrfs_subvolume.h"

#include <btrfsutil.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "agent/pool/beneath.h"
#include "agent/pool/xattr_copy.h"
#include "units/dir_list.h"

typedef struct btrfs_util_subvolume_iterator Iterator;

DEFINE_CLEANUP(Iterator *, btrfs_util_destroy_subvolume_iterator)

/* libbtrfsutil leaves errno as the system call has set it. */
static int result(enum btrfs_util_error e) {
        return e == BTRFS_UTIL_OK ? 0 : negative_errno();
}

bool btrfs_is_filesystem(int fd) {
        struct statfs st;

        return fstatfs(fd, &st) >= 0 && st.f_type == BTRFS_SUPER_MAGIC;
}

bool btrfs_is_subvolume(int fd) {
        return btrfs_util_is_subvolume_fd(fd) == BTRFS_UTIL_OK;
}

int btrfs_create_subvolume(int dir_fd, const char *name) {
        return result(btrfs_util_create_subvolume_fd(dir_fd, name, 0, NULL, NULL));
}

int btrfs_subvolume_id(int fd, uint64_t *ret) {
        return result(btrfs_util_subvolume_id_fd(fd, ret));
}

int btrfs_subvolume_created(int fd, uint64_t *ret_usec) {
        struct btrfs_util_subvolume_info info;
        int r;

        r = result(btrfs_util_subvolume_info_fd(fd, 0, &info));
        if (r < 0)
                return r;
        *ret_usec = (uint64_t) info.otime.tv_sec * 1000000 + (uint64_t) info.otime.tv_nsec / 1000;
        return 0;
}

int btrfs_get_read_only(int fd, bool *ret) {
        return result(btrfs_util_get_subvolume_read_only_fd(fd, ret));
}

int btrfs_set_read_only(int fd, bool read_only) {
        return result(btrfs_util_set_subvolume_read_only_fd(fd, read_only));
}

/* Calls each() for the subvolumes in fd, a folder's own before those in it (or after, with
 * post_order), until it returns something else than 0. path may be NULL for each(). */
static int for_each_nested(int fd, bool post_order,
                           int (*each)(void *userdata, const char *path, uint64_t id),
                           void *userdata) {
        _cleanup_(btrfs_util_destroy_subvolume_iteratorp) Iterator *it = NULL;
        int r;

        r = result(btrfs_util_create_subvolume_iterator_fd(
                fd, 0, post_order ? BTRFS_UTIL_SUBVOLUME_ITERATOR_POST_ORDER : 0, &it));
        while (r == 0) {
                _cleanup_free_ char *path = NULL;
                uint64_t id;
                enum btrfs_util_error e = btrfs_util_subvolume_iterator_next(it, &path, &id);

                if (e == BTRFS_UTIL_ERROR_STOP_ITERATION)
                        return 0;
                r = e == BTRFS_UTIL_OK ? each(userdata, path, id) : negative_errno();
        }
        return r;
}

static int found(void *userdata, const char *path, uint64_t id) {
        return 1;
}

int btrfs_has_nested(int fd) {
        return for_each_nested(fd, false, found, NULL);
}

typedef struct Ids {
        uint64_t *items;
        size_t n;
} Ids;

static int collect_id(void *userdata, const char *path, uint64_t id) {
        Ids *ids = userdata;
        uint64_t *grown = reallocarray(ids->items, ids->n + 1, sizeof(uint64_t));

        if (!grown)
                return -ENOMEM;
        ids->items = grown;
        ids->items[ids->n++] = id;
        return 0;
}

int btrfs_nested_ids(int fd, uint64_t **ret, size_t *ret_n) {
        Ids ids = { 0 };
        int r = for_each_nested(fd, false, collect_id, &ids);

        if (r < 0) {
                free(ids.items);
                return r;
        }
        *ret = ids.items;
        *ret_n = ids.n;
        return 0;
}

/* The folder that path is in, opened; *ret_name is the last part. */
static int open_parent(int fd, const char *path, const char **ret_name) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *folder = strndup(path, slash ? (size_t) (slash - path) : 0);

        if (!folder)
                return -ENOMEM;
        *ret_name = slash ? slash + 1 : path;
        return beneath_open(fd, folder, O_RDONLY | O_DIRECTORY);
}

typedef struct Snapshot {
        int from_fd, to_fd;
} Snapshot;

/* Without a flag of chattr(1) either, which a new one would not have. */
static bool is_plain_and_empty(int fd) {
        _cleanup_strv_ char **names = NULL;
        unsigned flags;

        return ioctl(fd, FS_IOC_GETFLAGS, &flags) >= 0 && flags == 0 &&
               dir_list_fd(fd, &names) >= 0 && !names;
}

/* Each snapshot waits for the disk, a new subvolume does not; and what systemd-tmpfiles makes in a
 * container is empty mostly (/var/lib/machines, /var/lib/portables). */
static int create_like(int like_fd, int to_fd, const char *to) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        int r;

        r = btrfs_create_subvolume(to_fd, to);
        if (r < 0)
                return r;
        fd = beneath_open(to_fd, to, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return fd;
        if (fstat(like_fd, &st) < 0 || fchown(fd, st.st_uid, st.st_gid) < 0 ||
            fchmod(fd, st.st_mode & 07777) < 0)
                return negative_errno();
        r = xattr_copy(like_fd, fd);
        if (r < 0)
                return r;
        return futimens(fd, (const struct timespec[]){ st.st_atim, st.st_mtim }) < 0
                       ? negative_errno()
                       : 0;
}

/* The snapshot around it has an empty folder in its place. */
static int snapshot_nested(void *userdata, const char *path, uint64_t id) {
        const Snapshot *s = userdata;
        _cleanup_close_ int from = -1, to = -1;
        const char *name;

        from = beneath_open(s->from_fd, path, O_RDONLY | O_DIRECTORY);
        to = open_parent(s->to_fd, path, &name);
        /* One that was removed or moved meanwhile. */
        if (from == -ENOENT || to == -ENOENT)
                return 0;
        if (from < 0 || to < 0)
                return from < 0 ? from : to;
        if (!btrfs_is_subvolume(from))
                return 0;
        if (unlinkat(to, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return negative_errno();
        if (is_plain_and_empty(from))
                return create_like(from, to, name);
        return result(btrfs_util_create_snapshot_fd2(from, to, name, 0, NULL, NULL));
}

static int protect_nested(void *userdata, const char *path, uint64_t id) {
        const Snapshot *s = userdata;
        _cleanup_close_ int fd = beneath_open(s->to_fd, path, O_RDONLY | O_DIRECTORY);

        return fd < 0 ? fd : btrfs_set_read_only(fd, true);
}

int btrfs_snapshot(int fd, int to_fd, const char *to, bool read_only) {
        _cleanup_close_ int copy = -1;
        int nested, r;

        nested = btrfs_has_nested(fd);
        if (nested < 0)
                return nested;
        r = result(btrfs_util_create_snapshot_fd2(
                fd, to_fd, to, read_only && !nested ? BTRFS_UTIL_CREATE_SNAPSHOT_READ_ONLY : 0,
                NULL, NULL));
        if (r < 0 || !nested)
                return r;

        copy = beneath_open(to_fd, to, O_RDONLY | O_DIRECTORY);
        if (copy < 0)
                return copy;
        r = for_each_nested(fd, false, snapshot_nested, &(Snapshot){ fd, copy });
        if (r < 0 || !read_only)
                return r;
        r = for_each_nested(copy, false, protect_nested, &(Snapshot){ fd, copy });
        return r < 0 ? r : btrfs_set_read_only(copy, true);
}

int btrfs_delete_subvolume(int dir_fd, const char *name) {
        return result(btrfs_util_delete_subvolume_fd(dir_fd, name, 0));
}

static int unprotect_nested(void *userdata, const char *path, uint64_t id) {
        _cleanup_close_ int fd = beneath_open(*(int *) userdata, path, O_RDONLY | O_DIRECTORY);

        return fd < 0 ? fd : btrfs_set_read_only(fd, false);
}

static int delete_nested(void *userdata, const char *path, uint64_t id) {
        _cleanup_close_ int parent = -1;
        const char *name;

        parent = open_parent(*(int *) userdata, path, &name);
        return parent < 0 ? parent : btrfs_delete_subvolume(parent, name);
}

int btrfs_delete_nested(int fd) {
        int r;

        r = btrfs_set_read_only(fd, false);
        if (r >= 0)
                r = for_each_nested(fd, false, unprotect_nested, &fd);
        if (r >= 0)
                r = for_each_nested(fd, true, delete_nested, &fd);
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/volume_place.h"

#include <fcntl.h>

#include "agent/pool/beneath.h"
#include "agent/pool/btrfs_subvolume.h"
#include "agent/pool/tree_mounts.h"
#include "agent/pool/volume_lock.h"
#include "base/name.h"

#define RAW_SUFFIX ".raw"
#define ID_MAX 64
#define TRASH_TRIES 10000

static const char *const type_names[] = {
        [VOLUME_SUBVOLUME] = "subvolume",
        [VOLUME_DIRECTORY] = "directory",
        [VOLUME_RAW] = "raw",
};

const char *volume_type_to_string(VolumeType t) {
        return type_names[t];
}

int volume_type_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(type_names); i++)
                if (streq(type_names[i], s))
                        return (int) i;
        return -EINVAL;
}

bool volume_name_is_valid(const char *s) {
        return container_name_is_valid(s) && !endswith(s, RAW_SUFFIX);
}

void volume_place_done(VolumePlace *v) {
        free(v->file);
        *v = (VolumePlace){ 0 };
}

char *volume_file_name(VolumeType type, const char *name) {
        char *file;

        return asprintf(&file, "%s%s", name, type == VOLUME_RAW ? RAW_SUFFIX : "") < 0 ? NULL
                                                                                       : file;
}

int volume_require_id(const char *id, Error **err) {
        size_t n = strlen(id);

        if (n > 0 && n <= ID_MAX &&
            strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n)
                return 0;
        return error_set(err, EINVAL, "'%s' is not the ID of a job", id);
}

int pool_folder(const Pool *p, const char *folder, Error **err) {
        int fd = beneath_open(p->fd, folder, O_RDONLY | O_DIRECTORY);

        if (fd < 0)
                return error_set(err, -fd, "cannot open '%s/%s': %s", p->path, folder,
                                 strerror(-fd));
        return fd;
}

static bool is_subvolume_at(int dir_fd, const char *file) {
        _cleanup_close_ int fd = beneath_open(dir_fd, file, O_RDONLY | O_DIRECTORY);

        return fd >= 0 && btrfs_is_subvolume(fd);
}

/* 1 if it is there; 0 if not. */
static int look(const Pool *p, const char *file, bool image, VolumeType *ret, Error **err) {
        struct statx st;
        int r;

        r = beneath_stat(p->fd, file, &st);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return error_set(err, -r, "cannot look at '%s/%s': %s", p->path, file,
                                 strerror(-r));
        if (S_ISLNK(st.stx_mode))
                return error_set(err, ELOOP,
                                 "'%s/%s' is a symlink, which is not followed: move what it points "
                                 "to in its place",
                                 p->path, file);
        if (image ? !S_ISREG(st.stx_mode) : !S_ISDIR(st.stx_mode))
                return error_set(err, image ? EINVAL : ENOTDIR, "'%s/%s' is not a %s", p->path,
                                 file, image ? "regular file" : "folder");
        if (beneath_is_mount(&st))
                return error_set(err, EXDEV,
                                 "'%s/%s' is a mount point: it is not part of the pool; unmount it "
                                 "first",
                                 p->path, file);
        *ret = image ? VOLUME_RAW
               : p->backend == &pool_backend_btrfs && is_subvolume_at(p->fd, file)
                       ? VOLUME_SUBVOLUME
                       : VOLUME_DIRECTORY;
        return 1;
}

static int find(const Pool *p, const char *name, VolumePlace *ret, Error **err) {
        static const VolumeType kinds[] = { VOLUME_DIRECTORY, VOLUME_RAW };

        if (!volume_name_is_valid(name))
                return error_set(err, EINVAL, "'%s' cannot be the name of a volume", name);
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_free_ char *file = volume_file_name(kinds[i], name);
                int r;

                if (!file)
                        return -ENOMEM;
                r = look(p, file, kinds[i] == VOLUME_RAW, &ret->type, err);
                if (r < 0)
                        return r;
                if (r > 0) {
                        ret->file = TAKE_PTR(file);
                        return 1;
                }
        }
        return 0;
}

int volume_find(const Pool *p, const char *name, VolumePlace *ret, Error **err) {
        int r;

        *ret = (VolumePlace){ 0 };
        r = find(p, name, ret, err);
        if (r == 0)
                return error_set(err, ENOENT, "there is no volume '%s' in the pool %s", name,
                                 p->path);
        return r < 0 ? r : 0;
}

int volume_require_free(const Pool *p, const char *name, Error **err) {
        _cleanup_volume_place_ VolumePlace place = { 0 };
        int r;

        r = find(p, name, &place, err);
        if (r > 0)
                return error_set(err, EEXIST, "there is a volume '%s' already (%s/%s)", name,
                                 p->path, place.file);
        return r;
}

int volume_require_unmounted(int dir_fd, const char *file, Error **err) {
        _cleanup_free_ char *where = NULL;
        int r;

        r = tree_find_mount(dir_fd, file, &where);
        if (r < 0)
                return error_set(err, -r, "cannot find out what is mounted: %s", strerror(-r));
        if (r > 0)
                return error_set(err, EBUSY,
                                 "something is mounted on '%s': unmount it first (nothing was "
                                 "changed)",
                                 where);
        return 0;
}

/* A read-only tree cannot change its parent folder. Images can: 0. */
static int take_read_only(const Pool *p, int dir_fd, const char *file) {
        bool read_only;
        int r = p->backend->get_read_only(dir_fd, file, &read_only);

        if (r < 0 || !read_only)
                return r == -ENOTDIR ? 0 : r;
        r = p->backend->set_read_only(dir_fd, file, false);
        return r < 0 ? r : 1;
}

int volume_move(const Pool *p, int from_fd, const char *from, int to_fd, const char *to,
                unsigned flags) {
        int r, read_only;

        if (renameat2(from_fd, from, to_fd, to, flags) >= 0)
                return 0;
        if (errno != EROFS && errno != EPERM)
                return negative_errno();

        read_only = take_read_only(p, from_fd, from);
        if (read_only < 0)
                return read_only;
        if (flags & RENAME_EXCHANGE)
                (void) take_read_only(p, to_fd, to);
        r = renameat2(from_fd, from, to_fd, to, flags) < 0 ? negative_errno() : 0;
        if (read_only > 0) {
                int k = r < 0 ? p->backend->set_read_only(from_fd, from, true)
                              : p->backend->set_read_only(to_fd, to, true);

                r = r < 0 ? r : k;
        }
        return r;
}

static int move_to_trash(const Pool *p, int dir_fd, const char *file, int trash, const char *id) {
        int r = -EEXIST;

        for (unsigned i = 0; i < TRASH_TRIES && r == -EEXIST; i++) {
                char to[ID_MAX + 16];

                (void) snprintf(to, sizeof(to), "%s-%u", id, i);
                r = volume_move(p, dir_fd, file, trash, to, RENAME_NOREPLACE);
        }
        return r;
}

int volume_trash(const Pool *p, int dir_fd, const char *file, const char *id, Error **err) {
        _cleanup_close_ int trash = pool_folder(p, POOL_TRASH, err);
        int r;

        if (trash < 0)
                return trash;
        /* It need not be what it was: nobody sees it any more. */
        (void) take_read_only(p, dir_fd, file);
        r = move_to_trash(p, dir_fd, file, trash, id);
        /* A full btrfs has room for a rename again when it has written down what was deleted. */
        if (r == -ENOSPC && syncfs(p->fd) >= 0)
                r = move_to_trash(p, dir_fd, file, trash, id);
        if (r < 0)
                return error_set(err, -r, "cannot move '%s' to the trash: %s", file, strerror(-r));
        return 0;
}

int volume_identity(const Pool *p, int dir_fd, const char *file, char **ret, Error **err) {
        bool is_subvolume = p->backend == &pool_backend_btrfs && is_subvolume_at(dir_fd, file);
        _cleanup_close_ int fd = -1;
        struct statx st;
        uint64_t number;
        int r;

        r = beneath_stat(dir_fd, file, &st);
        number = r >= 0 ? st.stx_ino : 0;
        if (r >= 0 && is_subvolume) {
                r = fd = beneath_open(dir_fd, file, O_RDONLY | O_DIRECTORY);
                if (r >= 0)
                        r = btrfs_subvolume_id(fd, &number);
        }
        if (r < 0)
                return error_set(err, -r, "cannot look at '%s': %s", file, strerror(-r));
        if (asprintf(ret, "%s %llu", is_subvolume ? "subvolume" : "inode",
                     (unsigned long long) number) < 0)
                return -ENOMEM;
        return 0;
}

/* The transaction that has the name of a subvolume has all that was made before it. */
bool volume_snapshot_is_synced(const Pool *p, int dir_fd, const char *file) {
        return p->backend->snapshot_quick && is_subvolume_at(dir_fd, file);
}

/* A name is on the disk when the folder that has it is. */
static int sync_names(const Pool *p, int new_fd, Error **err) {
        if (fsync(p->fd) < 0 || fsync(new_fd) < 0)
                return error_set(err, errno, "cannot write '%s' to the disk: %s", p->path,
                                 strerror(errno));
        return 0;
}

static int exchange(const Pool *p, int new_fd, const char *id, const char *file, Error **err) {
        _cleanup_volume_lock_ VolumeLock lock = VOLUME_LOCK_INIT;
        int r;

        r = volume_lock(p, file, &lock, err);
        if (r >= 0)
                r = volume_require_unmounted(p->fd, file, err);
        if (r < 0)
                return r;
        r = volume_move(p, new_fd, id, p->fd, file, RENAME_EXCHANGE);
        if (r < 0)
                return error_set(err, -r, "cannot replace '%s/%s': %s", p->path, file,
                                 strerror(-r));
        r = sync_names(p, new_fd, err);
        return r < 0 ? r : volume_trash(p, new_fd, id, id, err);
}

int volume_publish_file(const Pool *p, const char *id, const char *file, bool replace,
                        Error **err) {
        _cleanup_close_ int fd = pool_folder(p, POOL_NEW, err);
        int r;

        if (fd < 0)
                return fd;
        r = volume_move(p, fd, id, p->fd, file, RENAME_NOREPLACE);
        if (r == -EEXIST && replace)
                return exchange(p, fd, id, file, err);
        if (r == -EEXIST)
                return error_set(err, EEXIST, "'%s/%s' is there already", p->path, file);
        if (r < 0)
                return error_set(err, -r, "cannot give the volume its name '%s/%s': %s", p->path,
                                 file, strerror(-r));
        return sync_names(p, fd, err);
}

void volume_abandon(const Pool *p, const char *id) {
        _cleanup_close_ int fd = pool_folder(p, POOL_NEW, NULL);

        if (fd >= 0)
                (void) p->backend->remove(fd, id, NULL, NULL);
}

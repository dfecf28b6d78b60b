/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <time.h>

#include "agent/pool/beneath.h"
#include "agent/pool/file_copy.h"
#include "agent/pool/pool_intent.h"
#include "agent/pool/volume_lock.h"
#include "agent/pool/volume_place.h"
#include "agent/pool/xattr_copy.h"
#include "units/text.h"

#define MIB (1024.0 * 1024.0)

/* How long a small pool takes to be counted. */
#define COUNT_TRIES 20
#define COUNT_NSEC (100 * 1000 * 1000)

bool volume_clone_is_quick(const Pool *p, const Volume *v) {
        return p->backend->snapshot_quick && v->type == VOLUME_SUBVOLUME;
}

/*
 * Images
 */

static int copy_image_to(int from, int to, const TreeProgress *progress, const char *path) {
        FileCopy c = { .progress = progress };
        struct stat st;
        int r;

        r = file_copy_content(&c, from, to, path);
        if (r < 0)
                return r;
        if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
            fchmod(to, (st.st_mode & 07777) | S_IWUSR) < 0)
                return negative_errno();
        r = xattr_copy(from, to);
        if (r < 0)
                return r;
        return fsync(to) < 0 ? negative_errno() : 0;
}

int volume_copy_image(int from_fd, const char *from, int to_fd, const char *to,
                      const TreeProgress *progress, Error **err) {
        _cleanup_close_ int source = -1, target = -1;
        int r;

        source = beneath_open_regular(from_fd, from, O_RDONLY);
        if (source < 0)
                return error_set(err, -source, "cannot open '%s': %s", from, strerror(-source));
        target = openat(to_fd, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (target < 0)
                return error_set(err, errno, "cannot make '%s': %s", to, strerror(errno));
        r = copy_image_to(source, target, progress, from);
        if (r < 0)
                return error_set(err, -r, "cannot copy '%s': %s", from, strerror(-r));
        return 0;
}

static int resize_image(const Pool *p, const char *file, uint64_t size, Error **err) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        fd = beneath_open_regular(p->fd, file, O_RDWR);
        if (fd < 0)
                return error_set(err, -fd, "cannot open '%s/%s': %s", p->path, file, strerror(-fd));
        if (fstat(fd, &st) < 0)
                return error_set(err, errno, "cannot look at '%s': %s", file, strerror(errno));
        if (size == UINT64_MAX)
                return error_set(err, EINVAL,
                                 "'%s' is a disk image: it has a size, and cannot be without one",
                                 file);
        if (size < (uint64_t) st.st_size)
                return error_set(err, EINVAL,
                                 "'%s' has %llu bytes: a disk image can only grow, what is at its "
                                 "end would be lost",
                                 file, (unsigned long long) st.st_size);
        if (size > INT64_MAX || ftruncate(fd, (off_t) size) < 0 || fsync(fd) < 0)
                return error_set(err, size > INT64_MAX ? EFBIG : errno,
                                 "cannot make '%s' larger: %s", file,
                                 strerror(size > INT64_MAX ? EFBIG : errno));
        return 0;
}

/*
 * All
 */

/* The copy has the limit of the other. */
int volume_copy_limit(const Pool *p, int from_fd, const char *from, int to_fd, const char *to,
                      Error **err) {
        uint64_t used, limit;
        int r;

        r = p->backend->get_quota(from_fd, from, &used, &limit);
        if (r < 0)
                return error_set(err, -r, "cannot read the limit of '%s': %s", from, strerror(-r));
        return limit == UINT64_MAX ? 0 : p->backend->set_quota(to_fd, to, limit, err);
}

int volume_sync_tree(int dir_fd, const char *file, Error **err) {
        _cleanup_close_ int fd = beneath_open(dir_fd, file, O_RDONLY);

        if (fd < 0)
                return error_set(err, -fd, "cannot open '%s': %s", file, strerror(-fd));
        if (syncfs(fd) < 0)
                return error_set(err, errno, "cannot write '%s' to the disk: %s", file,
                                 strerror(errno));
        return 0;
}

/* Its snapshot is whole as soon as it is there, and is on the disk then: one without a limit, which
 * would come after it. */
static bool can_clone_at_once(const Pool *p, const VolumePlace *from) {
        uint64_t used, limit;

        return from->type != VOLUME_RAW && p->backend->snapshot_is_atomic &&
               p->backend->snapshot_is_atomic(p->fd, from->file) &&
               p->backend->get_quota(p->fd, from->file, &used, &limit) >= 0 && limit == UINT64_MAX;
}

static int clone_built(const Pool *p, const VolumePlace *from, const char *to_file, const char *id,
                       const TreeProgress *progress, Error **err) {
        _cleanup_close_ int fd = pool_folder(p, POOL_NEW, err);
        int r;

        if (fd < 0)
                return fd;
        if (from->type == VOLUME_RAW) {
                r = volume_copy_image(p->fd, from->file, fd, id, progress, err);
        } else {
                r = p->backend->snapshot(p->fd, from->file, fd, id, false, progress, err);
                if (r >= 0)
                        r = volume_copy_limit(p, p->fd, from->file, fd, id, err);
                if (r >= 0 && !volume_snapshot_is_synced(p, p->fd, from->file))
                        r = volume_sync_tree(fd, id, err);
        }
        return r < 0 ? r : volume_publish_file(p, id, to_file, false, err);
}

int volume_clone(const Pool *p, const char *from, const char *to, const char *id,
                 const TreeProgress *progress, Error **err) {
        _cleanup_volume_place_ VolumePlace place = { 0 };
        _cleanup_free_ char *file = NULL;
        int r;

        r = volume_require_id(id, err);
        if (r >= 0)
                r = volume_find(p, from, &place, err);
        if (r >= 0)
                r = volume_require_free(p, to, err);
        if (r < 0)
                return r;
        file = volume_file_name(place.type, to);
        if (!file)
                return -ENOMEM;

        if (can_clone_at_once(p, &place))
                return p->backend->snapshot(p->fd, place.file, p->fd, file, false, progress, err);
        r = clone_built(p, &place, file, id, progress, err);
        if (r < 0)
                volume_abandon(p, id);
        return r;
}

int volume_take_still(const Pool *p, const char *name, const char *id, Error **err) {
        _cleanup_volume_place_ VolumePlace place = { 0 };
        _cleanup_close_ int fd = -1;
        int r;

        r = volume_require_id(id, err);
        if (r >= 0)
                r = volume_find(p, name, &place, err);
        if (r < 0)
                return r;
        if (!p->backend->snapshot_quick || place.type != VOLUME_SUBVOLUME)
                return 0;
        fd = pool_folder(p, POOL_NEW, err);
        if (fd < 0)
                return fd;
        r = p->backend->snapshot(p->fd, place.file, fd, id, true, NULL, err);
        if (r < 0)
                volume_abandon(p, id);
        return r < 0 ? r : 1;
}

int volume_open_still(const Pool *p, const char *name, const char *id, Error **err) {
        _cleanup_volume_ Volume v = { 0 };
        _cleanup_close_ int fd = -1;
        int still, r;

        r = volume_get(p, name, &v, err);
        if (r < 0)
                return r;
        if (v.type == VOLUME_RAW)
                return error_set(err, EOPNOTSUPP,
                                 "'%s' is a disk image, and only trees can be put into an archive",
                                 v.name);
        fd = pool_folder(p, POOL_NEW, err);
        if (fd < 0)
                return fd;
        still = beneath_open(fd, id, O_RDONLY | O_DIRECTORY);
        if (still == -ENOENT)
                still = beneath_open(p->fd, name, O_RDONLY | O_DIRECTORY);
        return still < 0 ? error_set(err, -still, "cannot open '%s/%s': %s", p->path, name,
                                     strerror(-still))
                         : still;
}

void volume_drop_still(const Pool *p, const char *id) {
        volume_abandon(p, id);
}

/* An empty folder of them is none. */
static bool has_snapshots(int snapshots_fd, const char *name) {
        return unlinkat(snapshots_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT;
}

static int move_snapshots(const Pool *p, int snapshots, const char *from, const char *to,
                          Error **err) {
        if (renameat2(snapshots, from, snapshots, to, RENAME_NOREPLACE) < 0 && errno != ENOENT)
                return error_set(err, errno, "cannot rename the snapshots of '%s': %s", from,
                                 strerror(errno));
        if (fsync(p->fd) < 0 || fsync(snapshots) < 0)
                return error_set(err, errno, "cannot write '%s' to the disk: %s", p->path,
                                 strerror(errno));
        return 0;
}

/* Back, if the snapshots cannot follow. */
static int move_all(const Pool *p, const VolumePlace *place, const char *from, const char *file,
                    const char *to, int snapshots, Error **err) {
        int r;

        r = volume_move(p, p->fd, place->file, p->fd, file, RENAME_NOREPLACE);
        if (r < 0)
                return error_set(err, -r, "cannot rename '%s' to '%s': %s", place->file, file,
                                 strerror(-r));
        r = move_snapshots(p, snapshots, from, to, err);
        if (r >= 0)
                return r;
        (void) renameat2(snapshots, to, snapshots, from, RENAME_NOREPLACE);
        (void) volume_move(p, p->fd, file, p->fd, place->file, RENAME_NOREPLACE);
        return r;
}

static int rename_noted(const Pool *p, const VolumePlace *place, const char *from, const char *to,
                        const char *id, int snapshots, Error **err) {
        const PoolIntent intent = { .kind = POOL_INTENT_RENAME,
                                    .name = (char *) to,
                                    .from = (char *) from };
        _cleanup_free_ char *file = volume_file_name(place->type, to);
        int r;

        if (!file)
                return -ENOMEM;
        r = pool_intent_save(p, id, &intent, err);
        if (r < 0)
                return r;
        r = move_all(p, place, from, file, to, snapshots, err);
        (void) pool_intent_remove(p, id);
        return r;
}

int volume_rename(const Pool *p, const char *from, const char *to, const char *id, Error **err) {
        _cleanup_volume_lock_ VolumeLock lock = VOLUME_LOCK_INIT;
        _cleanup_volume_place_ VolumePlace place = { 0 };
        _cleanup_close_ int snapshots = -1;
        int r;

        r = volume_require_id(id, err);
        if (r >= 0)
                r = volume_find(p, from, &place, err);
        if (r >= 0)
                r = volume_require_free(p, to, err);
        if (r >= 0)
                r = volume_lock(p, place.file, &lock, err);
        if (r >= 0)
                r = volume_require_unmounted(p->fd, place.file, err);
        if (r >= 0)
                r = snapshots = pool_folder(p, POOL_SNAPSHOTS, err);
        if (r < 0)
                return r;
        if (has_snapshots(snapshots, to))
                return error_set(err, EEXIST,
                                 "there are snapshots of another '%s', which is no more: delete "
                                 "them first",
                                 to);
        return rename_noted(p, &place, from, to, id, snapshots, err);
}

int volume_rename_finish(const Pool *p, const char *from, const char *to, Error **err) {
        _cleanup_volume_place_ VolumePlace before = { 0 }, after = { 0 };
        _cleanup_close_ int snapshots = pool_folder(p, POOL_SNAPSHOTS, err);

        if (snapshots < 0)
                return snapshots;
        if (volume_find(p, from, &before, NULL) != -ENOENT || volume_find(p, to, &after, NULL) < 0)
                return 0;
        return move_snapshots(p, snapshots, from, to, err);
}

int volume_delete(const Pool *p, const char *name, const char *id, Error **err) {
        _cleanup_volume_lock_ VolumeLock lock = VOLUME_LOCK_INIT;
        _cleanup_volume_place_ VolumePlace place = { 0 };
        int r;

        r = volume_require_id(id, err);
        if (r >= 0)
                r = volume_find(p, name, &place, err);
        if (r >= 0)
                r = volume_lock(p, place.file, &lock, err);
        if (r >= 0)
                r = volume_require_unmounted(p->fd, place.file, err);
        if (r >= 0)
                r = volume_trash(p, p->fd, place.file, id, err);
        if (r < 0)
                return r;
        if (fsync(p->fd) < 0)
                return error_set(err, errno, "cannot write '%s' to the disk: %s", p->path,
                                 strerror(errno));
        return 0;
}

/*
 * Limits
 */

/* 0 as long as it is not known: without quota, or while it is being counted. */
static int require_room(const Pool *p, const char *file, uint64_t limit, Error **err) {
        uint64_t used, present;
        int r;

        (void) volume_sync_tree(p->fd, file, NULL);
        r = p->backend->get_quota(p->fd, file, &used, &present);
        if (r < 0)
                return error_set(err, -r, "cannot read the limit of '%s': %s", file, strerror(-r));
        if (used == UINT64_MAX || used <= limit)
                return used != UINT64_MAX;
        return error_set(err, EINVAL,
                         "'%s' uses %.1f MiB: with a limit of %.1f MiB nothing could be written to "
                         "it any more, and its limit was not changed; delete something in it first",
                         file, (double) used / MIB, (double) limit / MIB);
}

/* The first limit of a pool turns quota on, and what is used is known only then. */
static int require_room_later(const Pool *p, const char *file, uint64_t limit, Error **err) {
        int r = 0;

        for (unsigned i = 0; i < COUNT_TRIES && r == 0; i++) {
                (void) nanosleep(&(struct timespec){ .tv_nsec = COUNT_NSEC }, NULL);
                r = require_room(p, file, limit, err);
        }
        return r;
}

static int resize_tree(const Pool *p, const char *file, uint64_t limit, Error **err) {
        uint64_t used, before;
        int known, r;

        if (limit == UINT64_MAX)
                return p->backend->set_quota(p->fd, file, limit, err);
        known = require_room(p, file, limit, err);
        if (known < 0)
                return known;
        r = p->backend->get_quota(p->fd, file, &used, &before);
        if (r < 0)
                return error_set(err, -r, "cannot read the limit of '%s': %s", file, strerror(-r));
        r = p->backend->set_quota(p->fd, file, limit, err);
        if (r < 0 || known)
                return r;
        r = require_room_later(p, file, limit, err);
        if (r < 0)
                (void) p->backend->set_quota(p->fd, file, before, NULL);
        return r < 0 ? r : 0;
}

int volume_resize(const Pool *p, const char *name, uint64_t limit, Error **err) {
        _cleanup_volume_place_ VolumePlace place = { 0 };
        int r;

        r = volume_find(p, name, &place, err);
        if (r < 0)
                return r;
        return place.type == VOLUME_RAW ? resize_image(p, place.file, limit, err)
                                        : resize_tree(p, place.file, limit, err);
}

/*
 * For those that build one
 */

int volume_begin(const Pool *p, const char *id, int *ret_fd, Error **err) {
        _cleanup_close_ int fd = -1;
        int r;

        r = volume_require_id(id, err);
        if (r < 0)
                return r;
        fd = pool_folder(p, POOL_NEW, err);
        if (fd < 0)
                return fd;
        r = p->backend->create(fd, id);
        if (r >= 0)
                r = *ret_fd = beneath_open(fd, id, O_RDONLY | O_DIRECTORY);
        if (r < 0)
                return error_set(err, -r, "cannot make '%s/" POOL_NEW "/%s': %s", p->path, id,
                                 strerror(-r));
        return 0;
}

/* Of the other kind, NAME.raw or NAME, which would be taken for it or be hidden. */
static int find_other(const Pool *p, VolumeType type, const char *name, char **ret, Error **err) {
        _cleanup_free_ char *file =
                volume_file_name(type == VOLUME_RAW ? VOLUME_DIRECTORY : VOLUME_RAW, name);
        struct statx st;
        int r;

        if (!file)
                return -ENOMEM;
        r = beneath_stat(p->fd, file, &st);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return error_set(err, -r, "cannot look at '%s': %s", file, strerror(-r));
        *ret = TAKE_PTR(file);
        return 0;
}

static int require_kind(int new_fd, const char *id, VolumeType type, Error **err) {
        struct statx st;
        int r;

        r = beneath_stat(new_fd, id, &st);
        if (r < 0)
                return error_set(err, -r, "'" POOL_NEW "/%s': %s", id, strerror(-r));
        if (type == VOLUME_RAW ? !S_ISREG(st.stx_mode) : !S_ISDIR(st.stx_mode))
                return error_set(err, EINVAL, "what job %s has built is not a %s", id,
                                 volume_type_to_string(type));
        return 0;
}

static int publish(const Pool *p, const char *id, VolumeType type, const char *name, bool replace,
                   bool sync, Error **err) {
        _cleanup_volume_lock_ VolumeLock lock = VOLUME_LOCK_INIT;
        _cleanup_free_ char *file = NULL, *other = NULL;
        _cleanup_close_ int fd = -1;
        int r;

        r = volume_require_id(id, err);
        if (r < 0)
                return r;
        if (!volume_name_is_valid(name))
                return error_set(err, EINVAL, "'%s' cannot be the name of a volume", name);
        fd = pool_folder(p, POOL_NEW, err);
        if (fd < 0)
                return fd;
        file = volume_file_name(type, name);
        if (!file)
                return -ENOMEM;

        r = require_kind(fd, id, type, err);
        if (r >= 0)
                r = find_other(p, type, name, &other, err);
        if (r >= 0 && other && !replace)
                return error_set(err, EEXIST, "there is a volume '%s' already (%s/%s)", name,
                                 p->path, other);
        if (r >= 0 && other)
                r = volume_lock(p, other, &lock, err);
        if (r >= 0 && other)
                r = volume_require_unmounted(p->fd, other, err);
        if (r >= 0 && sync)
                r = volume_sync_tree(fd, id, err);
        if (r >= 0)
                r = volume_publish_file(p, id, file, replace, err);
        return r < 0 || !other ? r : volume_trash(p, p->fd, other, id, err);
}

int volume_publish(const Pool *p, const char *id, VolumeType type, const char *name, bool replace,
                   Error **err) {
        return publish(p, id, type, name, replace, true, err);
}

int volume_publish_synced(const Pool *p, const char *id, VolumeType type, const char *name,
                          bool replace, Error **err) {
        return publish(p, id, type, name, replace, false, err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/pool_build.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include "agent/pool/beneath.h"
#include "agent/pool/device_probe.h"
#include "agent/pool/pool_backend.h"
#include "base/fileio.h"
#include "base/label.h"
#include "units/dir_list.h"
#include "units/nspawn_file.h"
#include "units/text.h"

#define MKFS "/usr/sbin/mkfs.btrfs"
#define UNIT_MAX ((size_t) 64 * 1024)
#define TIB (UINT64_C(1) << 40)

/*
 * The place
 */

/* Our own folders, when there is nothing in them. */
static int is_empty_own(int pool_fd) {
        _cleanup_close_ int fd = beneath_open(pool_fd, POOL_OWN_FOLDER, O_RDONLY | O_DIRECTORY);
        _cleanup_strv_ char **names = NULL;
        int r;

        r = fd < 0 ? fd : dir_list_fd(fd, &names);
        STRV_FOREACH(name, names) {
                _cleanup_strv_ char **inner = NULL;
                _cleanup_close_ int folder = beneath_open(fd, *name, O_RDONLY | O_DIRECTORY);

                if (folder < 0 || dir_list_fd(folder, &inner) < 0 || inner)
                        return 0;
        }
        return r < 0 ? r : 1;
}

static int check_pool_empty(const char *path, int fd, Error **err) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = dir_list_fd(fd, &names);
        if (r < 0)
                return error_set(err, -r, "cannot read '%s': %s", path, strerror(-r));
        STRV_FOREACH(name, names)
                if (!streq(*name, POOL_OWN_FOLDER) || is_empty_own(fd) <= 0)
                        return error_set(
                                err, ENOTEMPTY,
                                "there is something in '%s' ('%s'), which the new filesystem would "
                                "hide: move it elsewhere first, build the pool, and move it back "
                                "with 'cp -a' or 'mv'",
                                path, *name);
        return 0;
}

static int check_pool(const char *root, Error **err) {
        _cleanup_free_ char *path = text_format("%s" POOL_PATH, root);
        _cleanup_close_ int fd = -1;
        struct statx st;
        int r;

        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0
                                       : error_set(err, errno, "cannot open '%s': %s", path,
                                                   strerror(errno));
        r = beneath_stat(fd, "", &st);
        if (r < 0)
                return error_set(err, -r, "cannot look at '%s': %s", path, strerror(-r));
        if (beneath_is_mount(&st))
                return error_set(err, EBUSY,
                                 "'%s' is a filesystem of its own already: there is nothing to "
                                 "build, or unmount it first",
                                 path);
        return check_pool_empty(path, fd, err);
}

static int check_unit(const char *root, Error **err) {
        _cleanup_free_ char *path = text_format("%s" POOL_MOUNT_UNIT_PATH, root), *text = NULL;
        int r;

        if (!path)
                return -ENOMEM;
        r = read_file_at(AT_FDCWD, path, UNIT_MAX, false, &text, NULL);
        if (r == -ENOENT || (r >= 0 && startswith(text, GENERATED_MARK)))
                return 0;
        return error_set(err, EEXIST,
                         "'%s' is there and was not made by ctvirt: somebody has planned for "
                         "another filesystem there; remove it first if that is past",
                         path);
}

/*
 * The source
 */

static int check_data(const PoolBuild *b, Error **err) {
        _cleanup_free_ char *what = NULL;
        int r;

        if (b->overwrite)
                return 0;
        r = device_find_data(b->source, &what, err);
        if (r <= 0)
                return r;
        return error_set(err, EEXIST,
                         "there is data on '%s': %s; nothing was changed (to overwrite it, say so: "
                         "--overwrite)",
                         b->source, what);
}

static int check_size(const PoolBuild *b, uint64_t size, Error **err) {
        if (size >= POOL_BUILD_SIZE_MIN)
                return 0;
        return error_set(err, EINVAL, "'%s' is too small for a pool: %llu MiB, at least %llu",
                         b->source, (unsigned long long) size / 1048576,
                         (unsigned long long) POOL_BUILD_SIZE_MIN / 1048576);
}

static int check_device(const PoolBuild *b, Error **err) {
        /* The kernel refuses O_EXCL for a device that is mounted, or part of a RAID, LVM, … */
        _cleanup_close_ int fd = open(b->source, O_RDONLY | O_EXCL | O_CLOEXEC);
        uint64_t size;

        if (fd < 0 && errno == EBUSY)
                return error_set(err, EBUSY,
                                 "'%s' is in use (mounted, or a part of something larger)",
                                 b->source);
        if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0)
                return error_set(err, errno, "cannot open '%s': %s", b->source, strerror(errno));
        if (b->size > 0)
                return error_set(err, EINVAL,
                                 "'%s' is a block device, which has its size: a size is for image "
                                 "files",
                                 b->source);
        return check_size(b, size, err);
}

static int check_loops(const PoolBuild *b, const char *real, Error **err) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_close_ int fd = open("/sys/block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || dir_list_fd(fd, &names) < 0)
                return 0;
        STRV_FOREACH(name, names) {
                _cleanup_free_ char *path = text_format("%s/loop/backing_file", *name),
                                    *file = NULL;

                if (!path)
                        return -ENOMEM;
                if (read_file_at(fd, path, PATH_MAX, true, &file, NULL) < 0)
                        continue;
                file[strcspn(file, "\n")] = '\0';
                if (streq(file, real))
                        return error_set(err, EBUSY, "'%s' is in use: it is attached to /dev/%s",
                                         b->source, *name);
        }
        return 0;
}

static int check_image(const PoolBuild *b, uint64_t size, Error **err) {
        _cleanup_free_ char *real = realpath(b->source, NULL);
        int r;

        if (!real)
                return error_set(err, errno, "'%s': %s", b->source, strerror(errno));
        if (b->size > 0 && !b->overwrite)
                return error_set(err, EEXIST,
                                 "the file '%s' is there already: without a size it is used as it "
                                 "is",
                                 b->source);
        r = check_loops(b, real, err);
        return r < 0 || b->size > 0 ? r : check_size(b, size, err);
}

static int check_new_image(const PoolBuild *b, Error **err) {
        _cleanup_free_ char *copy = strdup(b->source);
        struct statvfs st;
        const char *folder;

        if (!copy)
                return -ENOMEM;
        if (b->size == 0)
                return error_set(err, ENOENT,
                                 "'%s' is not there; to make an image file, say how large it is to "
                                 "be",
                                 b->source);
        folder = dirname(copy);
        if (statvfs(folder, &st) < 0)
                return error_set(err, errno, "'%s': %s", folder, strerror(errno));
        if (b->size > (uint64_t) st.f_bavail * st.f_frsize)
                return error_set(err, ENOSPC,
                                 "there is no room for %llu MiB in '%s': %llu MiB are free",
                                 (unsigned long long) b->size / 1048576, folder,
                                 (unsigned long long) st.f_bavail * st.f_frsize / 1048576);
        return check_size(b, b->size, err);
}

/* It becomes a line of a unit file, and must not lie where it is to be mounted. */
static int check_path(const PoolBuild *b, Error **err) {
        _cleanup_free_ char *pool = text_format("%s" POOL_PATH "/", b->root);

        if (!pool)
                return -ENOMEM;
        if (!b->source || b->source[0] != '/' || strlen(b->source) >= PATH_MAX)
                return error_set(err, EINVAL, "'%s' is not an absolute path",
                                 b->source ? b->source : "");
        for (const char *c = b->source; *c; c++)
                if ((unsigned char) *c < ' ' || *c == 127 || *c == '"' || *c == '\\')
                        return error_set(err, EINVAL,
                                         "a path with control characters, '\"' or '\\' cannot be "
                                         "mounted by a unit");
        if (startswith(b->source, pool))
                return error_set(err, EINVAL, "'%s' lies in the pool, and so where it is mounted",
                                 b->source);
        if (b->size > 1024 * TIB)
                return error_set(err, EINVAL, "%llu TiB is too large",
                                 (unsigned long long) (b->size / TIB));
        return 0;
}

static int check_source(const PoolBuild *b, Error **err) {
        struct stat st;
        int r;

        r = check_path(b, err);
        if (r < 0)
                return r;
        if (stat(b->source, &st) < 0)
                return errno == ENOENT
                               ? check_new_image(b, err)
                               : error_set(err, errno, "'%s': %s", b->source, strerror(errno));
        if (S_ISBLK(st.st_mode))
                r = check_device(b, err);
        else if (S_ISREG(st.st_mode))
                r = check_image(b, (uint64_t) st.st_size, err);
        else
                r = error_set(err, EINVAL, "'%s' is neither a block device nor a file", b->source);
        return r < 0 ? r : check_data(b, err);
}

int pool_build_check(const PoolBuild *b, Error **err) {
        int r;

        r = check_pool(b->root, err);
        if (r >= 0)
                r = check_unit(b->root, err);
        return r < 0 ? r : check_source(b, err);
}

/*
 * The steps
 */

/* All of its space is taken now: a btrfs whose image cannot grow any more is damaged. */
static int make_image(const PoolBuild *b, Error **err) {
        _cleanup_close_ int fd = -1;
        unsigned flags = 0;

        fd = open(b->source,
                  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (b->overwrite ? O_TRUNC : O_EXCL),
                  0600);
        if (fd < 0)
                return error_set(err, errno, "cannot make '%s': %s", b->source, strerror(errno));
        /* On btrfs everything would be copied twice; other filesystems do not know it. */
        if (ioctl(fd, FS_IOC_GETFLAGS, &flags) >= 0) {
                flags |= FS_NOCOW_FL;
                (void) ioctl(fd, FS_IOC_SETFLAGS, &flags);
        }
        if (fallocate(fd, 0, 0, (off_t) b->size) < 0 &&
            (errno != EOPNOTSUPP || ftruncate(fd, (off_t) b->size) < 0)) {
                int r = negative_errno();

                (void) unlink(b->source);
                return error_set(err, -r, "cannot make '%s' %llu MiB large: %s", b->source,
                                 (unsigned long long) b->size / 1048576, strerror(-r));
        }
        return 0;
}

int pool_build_format(const PoolBuild *b, Error **err) {
        const char *const argv[] = { MKFS, "-q", "-L", POOL_BUILD_LABEL,
                                     /* else it looks itself, once more */
                                     b->overwrite ? "-f" : "--", b->source, NULL };
        int r;

        r = pool_build_check(b, err);
        if (r >= 0 && b->size > 0)
                r = make_image(b, err);
        return r < 0 ? r : b->run(b->userdata, argv, "btrfs-progs", err);
}

static int source_of_unit(const PoolBuild *b, char **ret, Error **err) {
        _cleanup_free_ char *uuid = NULL;
        struct stat st;
        FILE *f;
        size_t size;
        int r;

        if (stat(b->source, &st) < 0)
                return error_set(err, errno, "'%s': %s", b->source, strerror(errno));
        if (S_ISBLK(st.st_mode)) {
                r = device_uuid(b->source, &uuid, err);
                if (r < 0)
                        return r;
                *ret = text_format("/dev/disk/by-uuid/%s", uuid);
                return *ret ? 0 : -ENOMEM;
        }
        f = open_memstream(ret, &size);
        if (!f)
                return -ENOMEM;
        /* '%' begins a specifier (systemd.unit(5)). */
        for (const char *c = b->source; *c; c++)
                (void) fputs(*c == '%' ? "%%" : (const char[]){ *c, '\0' }, f);
        return fclose(f) == 0 ? !S_ISBLK(st.st_mode) : -ENOMEM;
}

int pool_build_write_unit(const PoolBuild *b, Error **err) {
        _cleanup_free_ char *path = text_format("%s" POOL_MOUNT_UNIT_PATH, b->root), *what = NULL,
                            *text = NULL, *folder = NULL;
        int r, image;

        r = check_unit(b->root, err);
        if (r < 0)
                return r;
        image = source_of_unit(b, &what, err);
        if (image < 0)
                return image;
        text = text_format(GENERATED_MARK " for the pool (ctvirt pool-build).\n\n"
                                          "[Unit]\nDescription=Pool of containers\n\n"
                                          "[Mount]\nWhat=%s\nWhere=" POOL_PATH "\nType=btrfs\n%s\n"
                                          "[Install]\nWantedBy=local-fs.target\n",
                           what, image ? "Options=loop\n" : "");
        folder = path ? strdup(path) : NULL;
        if (!text || !folder)
                return -ENOMEM;
        r = make_directories(dirname(folder), 0755);
        if (r >= 0)
                r = write_file_at(AT_FDCWD, path, text, strlen(text), 0644, WRITE_SYNC);
        if (r >= 0)
                r = label_restore(path);
        if (r < 0)
                return error_set(err, -r, "cannot write '%s': %s", path, strerror(-r));
        return 0;
}

int pool_build_finish(const char *root, Error **err) {
        _cleanup_free_ char *path = text_format("%s" POOL_PATH, root);
        _cleanup_pool_ Pool *p = NULL;
        _cleanup_close_ int fd = -1;
        struct statx st;
        int r;

        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = fd < 0 ? negative_errno() : beneath_stat(fd, "", &st);
        if (r < 0)
                return error_set(err, -r, "cannot open '%s': %s", path, strerror(-r));
        if (!beneath_is_mount(&st) || !pool_backend_btrfs.probe(fd))
                return error_set(
                        err, ENODEV,
                        "nothing with btrfs is mounted on '%s': 'systemctl status " POOL_MOUNT_UNIT
                        "' may say why",
                        path);
        if (fchown(fd, geteuid(), getegid()) < 0 || fchmod(fd, 0700) < 0)
                return error_set(err, errno, "cannot set owner and mode of '%s': %s", path,
                                 strerror(errno));
        r = label_restore(path);
        if (r < 0)
                return error_set(err, -r, "cannot set the label of '%s': %s", path, strerror(-r));
        return pool_open(root, &p, err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/pool.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include "agent/pool/beneath.h"
#include "agent/pool/pool_backend.h"
#include "base/fileio.h"
#include "units/text.h"

Pool *pool_free(Pool *p) {
        if (!p)
                return NULL;
        closep(&p->fd);
        free(p->path);
        free(p);
        return NULL;
}

/* The pool itself may be a symlink: it is the administrator's, like all that leads to it. */
static int open_folder(const char *path, Error **err) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 && errno == ENOENT) {
                int r = make_directories(path, 0755);

                if (r >= 0 && chmod(path, 0700) < 0)
                        r = negative_errno();
                if (r < 0)
                        return error_set(err, -r, "cannot make '%s': %s", path, strerror(-r));
                fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
        if (fd < 0)
                return error_set(err, errno, "cannot open the pool '%s': %s", path,
                                 strerror(errno));
        return fd;
}

static int check_folder(const char *path, int fd, Error **err) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return error_set(err, errno, "cannot look at '%s': %s", path, strerror(errno));
        if (st.st_uid != geteuid())
                return error_set(err, EPERM,
                                 "'%s' belongs to user %u, who could exchange what is in it: "
                                 "'chown root:root %s' (ctvirt pool-check --repair does it)",
                                 path, st.st_uid, path);
        if (st.st_mode & (S_IWGRP | S_IWOTH))
                return error_set(err, EPERM,
                                 "others than root may write to '%s' (mode %04o): 'chmod 0700 %s' "
                                 "(ctvirt pool-check --repair does it)",
                                 path, st.st_mode & 07777u, path);
        return 0;
}

static int make_own(const char *path, int fd, const char *folder, Error **err) {
        _cleanup_free_ char *text = text_format("%s/%s", path, folder);
        _cleanup_close_ int own = -1;

        if (!text)
                return -ENOMEM;
        own = beneath_open(fd, folder, O_RDONLY | O_DIRECTORY);
        /* Only then: on a filesystem that is frozen even a mkdir(2) of what is there waits. */
        if (own == -ENOENT) {
                if (mkdirat(fd, folder, 0700) < 0 && errno != EEXIST)
                        return error_set(err, errno, "cannot make '%s': %s", text, strerror(errno));
                own = beneath_open(fd, folder, O_RDONLY | O_DIRECTORY);
        }
        if (own == -EXDEV)
                return error_set(err, EXDEV,
                                 "'%s' must be on the filesystem of the pool: nothing may be "
                                 "mounted on it",
                                 text);
        if (own < 0)
                return error_set(err, -own, "'%s' must be a folder: %s", text, strerror(-own));
        return check_folder(text, own, err);
}

bool pool_exists(const char *root) {
        _cleanup_free_ char *path = text_format("%s" POOL_PATH "/" POOL_OWN_FOLDER, root);

        return path && access(path, F_OK) >= 0;
}

int pool_open(const char *root, Pool **ret, Error **err) {
        static const char *const folders[] = { POOL_OWN_FOLDER, POOL_NEW,       POOL_TRASH,
                                               POOL_BASES,      POOL_SNAPSHOTS, POOL_INTENTS };
        _cleanup_pool_ Pool *p = NULL;
        int r;

        p = malloc(sizeof(*p));
        if (!p)
                return -ENOMEM;
        *p = (Pool){ .fd = -1 };
        p->path = text_format("%s" POOL_PATH, root);
        if (!p->path)
                return -ENOMEM;

        p->fd = open_folder(p->path, err);
        if (p->fd < 0)
                return p->fd;
        r = check_folder(p->path, p->fd, err);
        for (size_t i = 0; i < ELEMENTSOF(folders) && r >= 0; i++)
                r = make_own(p->path, p->fd, folders[i], err);
        if (r < 0)
                return r;

        p->backend = pool_backend_find(p->fd);
        *ret = TAKE_PTR(p);
        return 0;
}

int pool_info(const Pool *p, PoolInfo *ret) {
        struct statvfs st;

        if (fstatvfs(p->fd, &st) < 0)
                return negative_errno();
        *ret = (PoolInfo){
                .capacity = (uint64_t) st.f_blocks * st.f_frsize,
                .allocation = (uint64_t) (st.f_blocks - st.f_bfree) * st.f_frsize,
                .available = (uint64_t) st.f_bavail * st.f_frsize,
                .has_quota = p->backend->has_quota(p->fd),
        };
        return 0;
}

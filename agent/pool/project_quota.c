/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/project_quota.h"

#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "agent/pool/tree_walk.h"

/* Projects of other programs begin at 1 mostly. */
#define PROJECT_FIRST UINT32_C(0x63740000)
#define PROJECT_LAST (PROJECT_FIRST + 0xffff)
#define QUOTA_BLOCK 1024 /* the unit of dqb_bhardlimit */

static int quota_call(int fd, unsigned command, uint32_t id, void *data) {
        return syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), id, data) < 0
                       ? negative_errno()
                       : 0;
}

bool project_has_quota(int fd) {
        struct if_dqblk q;
        int r = quota_call(fd, Q_GETQUOTA, PROJECT_FIRST, &q);

        return r >= 0 || r == -ENOENT;
}

static int get_project(int fd, uint32_t *ret) {
        struct fsxattr x;

        if (ioctl(fd, FS_IOC_FSGETXATTR, &x) < 0)
                return negative_errno();
        *ret = x.fsx_projid;
        return 0;
}

int project_get_quota(int fd, uint64_t *ret_used, uint64_t *ret_limit) {
        struct if_dqblk q;
        uint32_t project;

        *ret_used = *ret_limit = UINT64_MAX;
        if (get_project(fd, &project) < 0 || project == 0 ||
            quota_call(fd, Q_GETQUOTA, project, &q) < 0)
                return 0;
        if (q.dqb_bhardlimit > 0)
                *ret_limit = q.dqb_bhardlimit * QUOTA_BLOCK;
        *ret_used = q.dqb_curspace;
        return 0;
}

/* One that counts nothing and limits nothing. */
static int find_free_project(int fd, uint32_t *ret) {
        for (uint32_t id = PROJECT_FIRST; id <= PROJECT_LAST; id++) {
                struct if_dqblk q = { 0 };
                int r = quota_call(fd, Q_GETQUOTA, id, &q);

                if (r < 0 && r != -ENOENT)
                        return r;
                if (r == -ENOENT ||
                    (q.dqb_curspace == 0 && q.dqb_curinodes == 0 && q.dqb_bhardlimit == 0)) {
                        *ret = id;
                        return 0;
                }
        }
        return -EUSERS;
}

/* Files and folders only: the project of others cannot be set, and they take no space. */
static int set_project(int fd, uint32_t project, bool folder) {
        struct fsxattr x;

        if (ioctl(fd, FS_IOC_FSGETXATTR, &x) < 0)
                return negative_errno();
        x.fsx_projid = project;
        if (folder)
                x.fsx_xflags |= FS_XFLAG_PROJINHERIT;
        return ioctl(fd, FS_IOC_FSSETXATTR, &x) < 0 ? negative_errno() : 0;
}

static int enter(void *userdata, int fd, const char *path, const struct statx *st) {
        return set_project(fd, *(const uint32_t *) userdata, true);
}

static int entry(void *userdata, const TreeEntry *e) {
        _cleanup_close_ int fd = -1;

        if (beneath_is_mount(e->st))
                return 0;
        if (S_ISDIR(e->st->stx_mode))
                return 1;
        if (!S_ISREG(e->st->stx_mode))
                return 0;
        fd = beneath_open_regular(e->dir_fd, e->name, O_RDONLY);
        return fd < 0 ? fd : set_project(fd, *(const uint32_t *) userdata, false);
}

static int give_project(int fd, uint32_t *ret, Error **err) {
        static const TreeVisitor visitor = { .enter = enter, .entry = entry };
        int r;

        r = find_free_project(fd, ret);
        if (r < 0)
                return error_set(err, -r, "there is no free project for a limit: %s", strerror(-r));
        return tree_walk(fd, &visitor, ret, err);
}

int project_set_quota(int fd, uint64_t limit, Error **err) {
        struct if_dqblk q = { .dqb_valid = QIF_BLIMITS };
        uint32_t project;
        int r;

        if (limit == UINT64_MAX && (get_project(fd, &project) < 0 || project == 0))
                return 0;
        if (!project_has_quota(fd))
                return error_set(
                        err, EOPNOTSUPP,
                        "the filesystem of the pool counts no project quotas, so there are "
                        "no limits: mount it with prjquota (ext4 needs 'tune2fs -O "
                        "project,quota' before), or build a pool on btrfs");

        r = get_project(fd, &project);
        if (r >= 0 && project == 0)
                r = give_project(fd, &project, err);
        if (r < 0)
                return error_set(err, -r, "cannot give the tree a project: %s", strerror(-r));

        q.dqb_bhardlimit = limit == UINT64_MAX ? 0 : (limit + QUOTA_BLOCK - 1) / QUOTA_BLOCK;
        r = quota_call(fd, Q_SETQUOTA, project, &q);
        if (r < 0)
                return error_set(err, -r, "cannot set the limit: %s", strerror(-r));
        return 0;
}

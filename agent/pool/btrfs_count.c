/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/btrfs_count.h"

#include <endian.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <sys/ioctl.h>
#include <time.h>

#include "agent/pool/btrfs_search.h"

/* How long a count that the kernel has given up can take to end, and how often it is looked at. */
#define ENDING_TRIES 50
#define ENDING_NSEC (20 * 1000 * 1000)
/* So often a count has to go on to be one that goes on. */
#define GOES_ON 3

static void read_status(void *userdata, uint64_t offset, const void *item, size_t size) {
        struct btrfs_qgroup_status_item status;

        if (size < sizeof(status))
                return;
        memcpy(&status, item, sizeof(status));
        *(uint64_t *) userdata = le64toh(status.flags);
}

/* 0: there is no quota. */
static int quota_flags(int fd, uint64_t *ret) {
        int r;

        *ret = 0;
        r = btrfs_search_quota(fd, BTRFS_QGROUP_STATUS_KEY, 0, 0, read_status, ret);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (!(*ret & BTRFS_QGROUP_STATUS_FLAG_ON))
                *ret = 0;
        return 0;
}

bool btrfs_has_quota(int fd) {
        uint64_t flags;

        return quota_flags(fd, &flags) >= 0 && flags != 0;
}

int btrfs_count_is_whole(int fd) {
        uint64_t flags;
        int r = quota_flags(fd, &flags);

        if (r < 0)
                return r;
        return flags != 0 &&
               !(flags & (BTRFS_QGROUP_STATUS_FLAG_RESCAN | BTRFS_QGROUP_STATUS_FLAG_INCONSISTENT));
}

static int is_inconsistent(int fd) {
        uint64_t flags;
        int r = quota_flags(fd, &flags);

        return r < 0 ? r : (flags & BTRFS_QGROUP_STATUS_FLAG_INCONSISTENT) != 0;
}

/* Nothing else says that a count which was given up has not ended yet. */
static int rescan_status(int fd, bool *ret_running, uint64_t *ret_progress) {
        struct btrfs_ioctl_quota_rescan_args args = { 0 };

        if (ioctl(fd, BTRFS_IOC_QUOTA_RESCAN_STATUS, &args) < 0)
                return negative_errno();
        *ret_running = args.flags != 0;
        *ret_progress = args.progress;
        return 0;
}

int btrfs_count_is_running(int fd) {
        uint64_t progress;
        bool running;
        int r = rescan_status(fd, &running, &progress);

        return r < 0 ? r : running;
}

int btrfs_count_is_lost(int fd) {
        int r = is_inconsistent(fd);

        if (r <= 0)
                return r;
        r = btrfs_count_is_running(fd);
        return r < 0 ? r : r == 0;
}

/* -EINPROGRESS */
static int start(int fd) {
        struct btrfs_ioctl_quota_rescan_args args = { 0 };

        return ioctl(fd, BTRFS_IOC_QUOTA_RESCAN, &args) < 0 ? negative_errno() : 0;
}

/* One that is under way and does not go on is at its end, or called off. */
static int start_later(int fd) {
        uint64_t progress, last = UINT64_MAX;
        unsigned advanced = 0;
        bool running;
        int r;

        for (unsigned i = 0; i < ENDING_TRIES && advanced <= GOES_ON; i++) {
                r = start(fd);
                if (r != -EINPROGRESS)
                        return r;
                r = rescan_status(fd, &running, &progress);
                if (r < 0)
                        return r;
                advanced += running && progress != last;
                last = progress;
                (void) nanosleep(&(struct timespec){ .tv_nsec = ENDING_NSEC }, NULL);
        }
        return 0;
}

int btrfs_count_again(int fd, bool may_be) {
        int r;

        if (!btrfs_has_quota(fd))
                return 0;
        r = may_be ? 1 : is_inconsistent(fd);
        return r <= 0 ? r : start_later(fd);
}

int btrfs_count_wait(int fd) {
        return ioctl(fd, BTRFS_IOC_QUOTA_RESCAN_WAIT) < 0 ? negative_errno() : 0;
}

/* If another one is under way once the first has ended, it began after the call. */
int btrfs_count_anew(int fd) {
        int r = start(fd);

        if (r != -EINPROGRESS)
                return r;
        r = btrfs_count_wait(fd);
        if (r < 0)
                return r;
        r = start(fd);
        return r == -EINPROGRESS ? 0 : r;
}

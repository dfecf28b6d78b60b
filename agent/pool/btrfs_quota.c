/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/btrfs_quota.h"

#include <endian.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <sys/ioctl.h>
#include <time.h>

#include "agent/pool/btrfs_subvolume.h"

#define LEVEL_SHIFT 48
#define GROUP_LEVEL UINT64_C(255)
#define SEARCH_MAX 64
#define ID_MASK ((UINT64_C(1) << LEVEL_SHIFT) - 1)

/* How long a count that the kernel has given up can take to end, and how often it is looked at. */
#define ENDING_TRIES 50
#define ENDING_NSEC (20 * 1000 * 1000)
/* So often a count has to go on to be one that goes on. */
#define GOES_ON 3

typedef struct btrfs_ioctl_search_args SearchArgs;
typedef struct btrfs_ioctl_search_header SearchHeader;

/* What the quota tree says about one group. */
typedef struct GroupFacts {
        bool found;
        uint64_t used, limit;
} GroupFacts;

/* Items of one objectid and type. */
typedef struct Range {
        uint64_t tree, objectid, first, last; /* first and last: offsets */
        uint32_t type;
} Range;

/* Calls each() with the first items of them, SEARCH_MAX at most. -ENOENT: there is no such tree. */
static int search_range(int fd, const Range *range,
                        void (*each)(void *userdata, const SearchHeader *h, const void *item),
                        void *userdata) {
        _cleanup_free_ SearchArgs *args = calloc(1, sizeof(SearchArgs));
        size_t at = 0;

        if (!args)
                return -ENOMEM;
        args->key = (struct btrfs_ioctl_search_key){
                .tree_id = range->tree,
                .min_objectid = range->objectid,
                .max_objectid = range->objectid,
                .min_type = range->type,
                .max_type = range->type,
                .min_offset = range->first,
                .max_offset = range->last,
                .max_transid = UINT64_MAX,
                .nr_items = SEARCH_MAX,
        };
        if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, args) < 0)
                return negative_errno();

        for (uint32_t i = 0; i < args->key.nr_items; i++) {
                SearchHeader h;

                memcpy(&h, args->buf + at, sizeof(h));
                at += sizeof(h);
                each(userdata, &h, args->buf + at);
                at += h.len;
        }
        return 0;
}

/* Of the quota tree; UINT64_MAX for offset: any. -ENOENT: there is no quota. */
static int search(int fd, uint32_t type, uint64_t objectid, uint64_t offset,
                  void (*each)(void *userdata, const SearchHeader *h, const void *item),
                  void *userdata) {
        const Range range = { .tree = BTRFS_QUOTA_TREE_OBJECTID,
                              .objectid = objectid,
                              .first = offset == UINT64_MAX ? 0 : offset,
                              .last = offset,
                              .type = type };

        return search_range(fd, &range, each, userdata);
}

static void read_status(void *userdata, const SearchHeader *h, const void *item) {
        struct btrfs_qgroup_status_item status;

        if (h->len < sizeof(status))
                return;
        memcpy(&status, item, sizeof(status));
        *(uint64_t *) userdata = le64toh(status.flags);
}

static int quota_flags(int fd, uint64_t *ret) {
        *ret = 0;
        return search(fd, BTRFS_QGROUP_STATUS_KEY, 0, 0, read_status, ret);
}

bool btrfs_has_quota(int fd) {
        uint64_t flags;

        return quota_flags(fd, &flags) >= 0 && (flags & BTRFS_QGROUP_STATUS_FLAG_ON);
}

static void read_info(void *userdata, const SearchHeader *h, const void *item) {
        struct btrfs_qgroup_info_item info;
        GroupFacts *facts = userdata;

        if (h->len < sizeof(info))
                return;
        memcpy(&info, item, sizeof(info));
        facts->found = true;
        facts->used = le64toh(info.rfer);
}

static void read_limit(void *userdata, const SearchHeader *h, const void *item) {
        struct btrfs_qgroup_limit_item limit;
        GroupFacts *facts = userdata;

        if (h->len < sizeof(limit))
                return;
        memcpy(&limit, item, sizeof(limit));
        if (le64toh(limit.flags) & BTRFS_QGROUP_LIMIT_MAX_RFER)
                facts->limit = le64toh(limit.max_rfer);
}

static int group_facts(int fd, uint64_t group, GroupFacts *ret) {
        int r;

        *ret = (GroupFacts){ .used = UINT64_MAX, .limit = UINT64_MAX };
        r = search(fd, BTRFS_QGROUP_INFO_KEY, 0, group, read_info, ret);
        if (r >= 0)
                r = search(fd, BTRFS_QGROUP_LIMIT_KEY, 0, group, read_limit, ret);
        return r;
}

typedef struct Parents {
        uint64_t id, group;
} Parents;

/* Relations are there in both directions: (child, parent) and (parent, child). */
static void read_relation(void *userdata, const SearchHeader *h, const void *item) {
        Parents *p = userdata;

        if ((h->offset & ID_MASK) == p->id && h->offset > p->group)
                p->group = h->offset;
}

/* The group of the subvolume that has those in it as well, 0/ID if there is none. */
static int group_of(int fd, uint64_t id, uint64_t *ret) {
        Parents p = { .id = id, .group = id };
        int r = search(fd, BTRFS_QGROUP_RELATION_KEY, id, UINT64_MAX, read_relation, &p);

        *ret = p.group;
        return r;
}

int btrfs_get_quota(int fd, uint64_t *ret_used, uint64_t *ret_limit) {
        GroupFacts facts = { .used = UINT64_MAX, .limit = UINT64_MAX };
        uint64_t id, group, flags;
        int r;

        r = btrfs_subvolume_id(fd, &id);
        if (r >= 0)
                r = quota_flags(fd, &flags);
        if (r >= 0 && (flags & BTRFS_QGROUP_STATUS_FLAG_ON)) {
                r = group_of(fd, id, &group);
                if (r >= 0)
                        r = group_facts(fd, group, &facts);
                if (flags &
                    (BTRFS_QGROUP_STATUS_FLAG_RESCAN | BTRFS_QGROUP_STATUS_FLAG_INCONSISTENT))
                        facts.used = UINT64_MAX;
        }
        if (r < 0 && r != -ENOENT)
                return r;
        *ret_used = facts.used;
        *ret_limit = facts.limit;
        return 0;
}

/*
 * Counting
 */

/* Nothing else says that a count which was given up has not ended yet. */
static int rescan_status(int fd, bool *ret_running, uint64_t *ret_progress) {
        struct btrfs_ioctl_quota_rescan_args args = { 0 };

        if (ioctl(fd, BTRFS_IOC_QUOTA_RESCAN_STATUS, &args) < 0)
                return negative_errno();
        *ret_running = args.flags != 0;
        *ret_progress = args.progress;
        return 0;
}

/* 1: the count is lost. */
static int is_inconsistent(int fd) {
        uint64_t flags;
        int r = quota_flags(fd, &flags);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return (flags & BTRFS_QGROUP_STATUS_FLAG_ON) &&
               (flags & BTRFS_QGROUP_STATUS_FLAG_INCONSISTENT);
}

int btrfs_quota_is_lost(int fd) {
        uint64_t progress;
        bool running;
        int r;

        r = is_inconsistent(fd);
        if (r <= 0)
                return r;
        r = rescan_status(fd, &running, &progress);
        return r < 0 ? r : !running;
}

int btrfs_recount_quota(int fd) {
        uint64_t progress, last = UINT64_MAX;
        unsigned advanced = 0;
        bool running;
        int r;

        for (unsigned i = 0; i < ENDING_TRIES && advanced <= GOES_ON; i++) {
                struct btrfs_ioctl_quota_rescan_args args = { 0 };

                r = is_inconsistent(fd);
                if (r <= 0)
                        return r;
                if (ioctl(fd, BTRFS_IOC_QUOTA_RESCAN, &args) >= 0)
                        return 0;
                if (errno != EINPROGRESS)
                        return negative_errno();
                r = rescan_status(fd, &running, &progress);
                if (r < 0)
                        return r;
                advanced += running && progress != last;
                last = progress;
                (void) nanosleep(&(struct timespec){ .tv_nsec = ENDING_NSEC }, NULL);
        }
        return 0;
}

/*
 * Limits
 */

static int enable(int fd) {
        struct btrfs_ioctl_quota_ctl_args args = { .cmd = BTRFS_QUOTA_CTL_ENABLE };

        return ioctl(fd, BTRFS_IOC_QUOTA_CTL, &args) < 0 && errno != EEXIST ? negative_errno() : 0;
}

static int create_group(int fd, uint64_t group) {
        struct btrfs_ioctl_qgroup_create_args args = { .create = 1, .qgroupid = group };

        return ioctl(fd, BTRFS_IOC_QGROUP_CREATE, &args) < 0 && errno != EEXIST ? negative_errno()
                                                                                : 0;
}

/* 1: what is used has to be counted again. */
static int assign(int fd, uint64_t child, uint64_t parent) {
        struct btrfs_ioctl_qgroup_assign_args args = { .assign = 1, .src = child, .dst = parent };
        int r = ioctl(fd, BTRFS_IOC_QGROUP_ASSIGN, &args);

        if (r >= 0)
                return r > 0;
        /* A subvolume that was deleted since it was listed has no group. */
        return errno == EEXIST || errno == ENOENT || errno == EINVAL ? 0 : negative_errno();
}

static int set_limit(int fd, uint64_t group, uint64_t limit) {
        struct btrfs_ioctl_qgroup_limit_args args = {
                .qgroupid = group,
                .lim = { .flags = BTRFS_QGROUP_LIMIT_MAX_RFER, .max_rfer = limit },
        };

        return ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &args) < 0 ? negative_errno() : 0;
}

static int assign_all(int top_fd, int fd, uint64_t id, uint64_t group) {
        _cleanup_free_ uint64_t *nested = NULL;
        size_t n = 0;
        int r, again;

        r = btrfs_nested_ids(fd, &nested, &n);
        if (r < 0)
                return r;
        again = assign(top_fd, id, group);
        for (size_t i = 0; i < n && again >= 0; i++) {
                r = assign(top_fd, nested[i], group);
                again = r < 0 ? r : again | r;
        }
        return again <= 0 ? again : btrfs_recount_quota(top_fd);
}

int btrfs_set_quota(int top_fd, int fd, uint64_t limit) {
        uint64_t id, group;
        int r;

        r = btrfs_subvolume_id(fd, &id);
        if (r < 0)
                return r;
        if (!btrfs_has_quota(top_fd)) {
                if (limit == UINT64_MAX)
                        return 0;
                r = enable(top_fd);
                if (r < 0)
                        return r;
        }
        r = group_of(fd, id, &group);
        if (r < 0)
                return r;
        if (limit != UINT64_MAX) {
                if (group == id)
                        group = GROUP_LEVEL << LEVEL_SHIFT | id;
                r = create_group(top_fd, group);
                if (r >= 0)
                        r = assign_all(top_fd, fd, id, group);
                if (r < 0)
                        return r;
        }
        /* The kernel takes UINT64_MAX for "no limit any more". */
        return set_limit(top_fd, group, limit);
}

static void note_found(void *userdata, const SearchHeader *h, const void *item) {
        *(bool *) userdata = true;
}

static int count_outside(int fd, uint64_t group, const uint64_t *nested, size_t n, size_t *ret) {
        size_t outside = 0;

        for (size_t i = 0; i < n; i++) {
                bool member = false;
                int r = search(fd, BTRFS_QGROUP_RELATION_KEY, nested[i], group, note_found,
                               &member);

                if (r < 0)
                        return r;
                outside += !member;
        }
        *ret = outside;
        return 0;
}

int btrfs_quota_outside(int fd, size_t *ret) {
        _cleanup_free_ uint64_t *nested = NULL;
        uint64_t id, group, used, limit;
        size_t n = 0;
        int r;

        *ret = 0;
        r = btrfs_get_quota(fd, &used, &limit);
        if (r < 0 || limit == UINT64_MAX)
                return r;
        r = btrfs_subvolume_id(fd, &id);
        if (r >= 0)
                r = group_of(fd, id, &group);
        if (r >= 0)
                r = btrfs_nested_ids(fd, &nested, &n);
        return r < 0 ? r : count_outside(fd, group, nested, n, ret);
}

typedef struct Members {
        uint64_t group;
        uint64_t items[SEARCH_MAX];
        size_t n;
} Members;

static void read_member(void *userdata, const SearchHeader *h, const void *item) {
        Members *m = userdata;

        if (h->offset >> LEVEL_SHIFT < m->group >> LEVEL_SHIFT && m->n < ELEMENTSOF(m->items))
                m->items[m->n++] = h->offset;
}

/* 1 if there may be more of them. */
static int remove_members(int fd, uint64_t group) {
        Members m = { .group = group };
        int r;

        r = search(fd, BTRFS_QGROUP_RELATION_KEY, group, UINT64_MAX, read_member, &m);
        for (size_t i = 0; i < m.n && r >= 0; i++) {
                struct btrfs_ioctl_qgroup_assign_args args = { .src = m.items[i], .dst = group };

                r = ioctl(fd, BTRFS_IOC_QGROUP_ASSIGN, &args) < 0 ? negative_errno() : 0;
        }
        return r < 0 ? r : m.n > 0;
}

static int remove_group(int fd, uint64_t group) {
        struct btrfs_ioctl_qgroup_create_args removal = { .qgroupid = group };
        int r;

        do
                r = remove_members(fd, group);
        while (r > 0);
        return ioctl(fd, BTRFS_IOC_QGROUP_CREATE, &removal) < 0 ? negative_errno() : 0;
}

void btrfs_forget_quota(int top_fd, int fd) {
        uint64_t id, group;

        if (btrfs_subvolume_id(fd, &id) >= 0 && group_of(fd, id, &group) >= 0 && group != id)
                (void) remove_group(top_fd, group);
}

/*
 * What is left of deleted ones
 */

/* 0: there is none, also none that is still being deleted. */
static int has_subvolume(int fd, uint64_t id) {
        const Range range = { .tree = BTRFS_ROOT_TREE_OBJECTID,
                              .objectid = id,
                              .last = UINT64_MAX,
                              .type = BTRFS_ROOT_ITEM_KEY };
        bool there = false;
        int r = search_range(fd, &range, note_found, &there);

        return r < 0 ? r : there;
}

/* Those below are the subvolume's own to make, and others' to give a meaning to. */
static int is_stale(int fd, uint64_t group) {
        Members m = { .group = group };
        uint64_t id = group & ID_MASK;
        int r;

        if (id < BTRFS_FIRST_FREE_OBJECTID)
                return 0;
        r = has_subvolume(fd, id);
        if (r != 0)
                return r < 0 ? r : 0;
        r = search(fd, BTRFS_QGROUP_RELATION_KEY, group, UINT64_MAX, read_member, &m);
        for (size_t i = 0; i < m.n && r == 0; i++)
                r = m.items[i] >> LEVEL_SHIFT ? 1 : has_subvolume(fd, m.items[i]);
        return r < 0 ? r : r == 0;
}

static void read_group(void *userdata, const SearchHeader *h, const void *item) {
        Members *m = userdata;

        m->items[m->n++] = h->offset;
}

int btrfs_sweep_quota(int fd, bool remove, size_t *ret) {
        Range range = { .tree = BTRFS_QUOTA_TREE_OBJECTID,
                        .first = GROUP_LEVEL << LEVEL_SHIFT,
                        .last = GROUP_LEVEL << LEVEL_SHIFT | ID_MASK,
                        .type = BTRFS_QGROUP_INFO_KEY };
        Members found;
        int r;

        *ret = 0;
        do {
                found.n = 0;
                r = search_range(fd, &range, read_group, &found);
                for (size_t i = 0; i < found.n && r >= 0; i++) {
                        r = is_stale(fd, found.items[i]);
                        *ret += r > 0;
                        if (r > 0 && remove)
                                r = remove_group(fd, found.items[i]);
                        range.first = found.items[i] + 1;
                }
        } while (r >= 0 && found.n > 0 && range.first <= range.last);
        return r == -ENOENT ? 0 : r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/btrfs_quota.h"

#include <endian.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <sys/ioctl.h>

#include "agent/pool/btrfs_count.h"
#include "agent/pool/btrfs_search.h"
#include "agent/pool/btrfs_subvolume.h"

#define LEVEL_SHIFT 48
#define GROUP_LEVEL UINT64_C(255)
#define ID_MASK ((UINT64_C(1) << LEVEL_SHIFT) - 1)

/* What the quota tree says about one group. */
typedef struct GroupFacts {
        bool found;
        uint64_t used, limit;
} GroupFacts;

static void read_info(void *userdata, uint64_t offset, const void *item, size_t size) {
        struct btrfs_qgroup_info_item info;
        GroupFacts *facts = userdata;

        if (size < sizeof(info))
                return;
        memcpy(&info, item, sizeof(info));
        facts->found = true;
        facts->used = le64toh(info.rfer);
}

static void read_limit(void *userdata, uint64_t offset, const void *item, size_t size) {
        struct btrfs_qgroup_limit_item limit;
        GroupFacts *facts = userdata;

        if (size < sizeof(limit))
                return;
        memcpy(&limit, item, sizeof(limit));
        if (le64toh(limit.flags) & BTRFS_QGROUP_LIMIT_MAX_RFER)
                facts->limit = le64toh(limit.max_rfer);
}

static int group_facts(int fd, uint64_t group, GroupFacts *ret) {
        int r;

        *ret = (GroupFacts){ .used = UINT64_MAX, .limit = UINT64_MAX };
        r = btrfs_search_quota(fd, BTRFS_QGROUP_INFO_KEY, 0, group, read_info, ret);
        if (r >= 0)
                r = btrfs_search_quota(fd, BTRFS_QGROUP_LIMIT_KEY, 0, group, read_limit, ret);
        return r;
}

typedef struct Parents {
        uint64_t id, group;
} Parents;

/* Relations are there in both directions: (child, parent) and (parent, child). */
static void read_relation(void *userdata, uint64_t offset, const void *item, size_t size) {
        Parents *p = userdata;

        if ((offset & ID_MASK) == p->id && offset > p->group)
                p->group = offset;
}

/* The group of the subvolume that has those in it as well, 0/ID if there is none. */
static int group_of(int fd, uint64_t id, uint64_t *ret) {
        Parents p = { .id = id, .group = id };
        int r = btrfs_search_quota(fd, BTRFS_QGROUP_RELATION_KEY, id, UINT64_MAX, read_relation,
                                   &p);

        *ret = p.group;
        return r;
}

int btrfs_get_quota(int fd, uint64_t *ret_used, uint64_t *ret_limit) {
        GroupFacts facts = { .used = UINT64_MAX, .limit = UINT64_MAX };
        uint64_t id, group;
        int r;

        r = btrfs_subvolume_id(fd, &id);
        if (r >= 0 && btrfs_has_quota(fd)) {
                r = group_of(fd, id, &group);
                if (r >= 0)
                        r = group_facts(fd, group, &facts);
                if (r >= 0 && btrfs_count_is_whole(fd) <= 0)
                        facts.used = UINT64_MAX;
        }
        if (r < 0 && r != -ENOENT)
                return r;
        *ret_used = facts.used;
        *ret_limit = facts.limit;
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

static void note_found(void *userdata, uint64_t offset, const void *item, size_t size) {
        *(bool *) userdata = true;
}

static int is_member(int fd, uint64_t id, uint64_t group) {
        bool member = false;
        int r = btrfs_search_quota(fd, BTRFS_QGROUP_RELATION_KEY, id, group, note_found, &member);

        return r < 0 ? r : member;
}

/* 1: what is used has to be counted again. just_enabled: the count that this began has hardly
 * come to any of it, so it is not awaited. */
static int assign_new(int top_fd, uint64_t id, uint64_t group, bool just_enabled) {
        int r = is_member(top_fd, id, group);

        if (r != 0)
                return r < 0 ? r : 0;
        if (!just_enabled)
                r = btrfs_count_wait(top_fd);
        return r < 0 ? r : assign(top_fd, id, group);
}

static int assign_all(int top_fd, int fd, uint64_t id, uint64_t group, bool just_enabled) {
        _cleanup_free_ uint64_t *nested = NULL;
        size_t n = 0;
        int r, again;

        r = btrfs_nested_ids(fd, &nested, &n);
        if (r < 0)
                return r;
        again = assign_new(top_fd, id, group, just_enabled);
        for (size_t i = 0; i < n && again >= 0; i++) {
                r = assign_new(top_fd, nested[i], group, just_enabled);
                again = r < 0 ? r : again | r;
        }
        return again;
}

/* 1: as assign_new(). */
static int fill_group(int top_fd, int fd, uint64_t id, uint64_t group, bool just_enabled) {
        int r = create_group(top_fd, group);

        return r < 0 ? r : assign_all(top_fd, fd, id, group, just_enabled);
}

int btrfs_set_quota(int top_fd, int fd, uint64_t limit) {
        bool enabled = false;
        uint64_t id, group;
        int r, again = 0;

        r = btrfs_subvolume_id(fd, &id);
        if (r < 0)
                return r;
        if (!btrfs_has_quota(top_fd)) {
                if (limit == UINT64_MAX)
                        return 0;
                r = enable(top_fd);
                if (r < 0)
                        return r;
                enabled = true;
        }
        r = group_of(fd, id, &group);
        if (r < 0)
                return r;
        if (limit != UINT64_MAX) {
                if (group == id)
                        group = GROUP_LEVEL << LEVEL_SHIFT | id;
                again = fill_group(top_fd, fd, id, group, enabled);
        }
        /* The kernel takes UINT64_MAX for "no limit any more". */
        r = again < 0 ? again : set_limit(top_fd, group, limit);
        return r < 0 || again == 0 ? r : btrfs_count_anew(top_fd);
}

static int count_outside(int fd, uint64_t group, const uint64_t *nested, size_t n, size_t *ret) {
        size_t outside = 0;

        for (size_t i = 0; i < n; i++) {
                int r = is_member(fd, nested[i], group);

                if (r < 0)
                        return r;
                outside += r == 0;
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
        uint64_t items[BTRFS_SEARCH_MAX];
        size_t n;
} Members;

static void read_member(void *userdata, uint64_t offset, const void *item, size_t size) {
        Members *m = userdata;

        if (offset >> LEVEL_SHIFT < m->group >> LEVEL_SHIFT && m->n < ELEMENTSOF(m->items))
                m->items[m->n++] = offset;
}

/* 1 if there may be more of them. */
static int remove_members(int fd, uint64_t group) {
        Members m = { .group = group };
        int r;

        r = btrfs_search_quota(fd, BTRFS_QGROUP_RELATION_KEY, group, UINT64_MAX, read_member, &m);
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
        const BtrfsRange range = { .tree = BTRFS_ROOT_TREE_OBJECTID,
                                   .objectid = id,
                                   .last = UINT64_MAX,
                                   .type = BTRFS_ROOT_ITEM_KEY };
        bool there = false;
        int r = btrfs_search(fd, &range, note_found, &there);

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
        r = btrfs_search_quota(fd, BTRFS_QGROUP_RELATION_KEY, group, UINT64_MAX, read_member, &m);
        for (size_t i = 0; i < m.n && r == 0; i++)
                r = m.items[i] >> LEVEL_SHIFT ? 1 : has_subvolume(fd, m.items[i]);
        return r < 0 ? r : r == 0;
}

static void read_group(void *userdata, uint64_t offset, const void *item, size_t size) {
        Members *m = userdata;

        m->items[m->n++] = offset;
}

int btrfs_sweep_quota(int fd, bool remove, size_t *ret) {
        BtrfsRange range = { .tree = BTRFS_QUOTA_TREE_OBJECTID,
                             .first = GROUP_LEVEL << LEVEL_SHIFT,
                             .last = GROUP_LEVEL << LEVEL_SHIFT | ID_MASK,
                             .type = BTRFS_QGROUP_INFO_KEY };
        Members found;
        int r;

        *ret = 0;
        do {
                found.n = 0;
                r = btrfs_search(fd, &range, read_group, &found);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/btrfs_search.h"

#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <sys/ioctl.h>

typedef struct btrfs_ioctl_search_args SearchArgs;
typedef struct btrfs_ioctl_search_header SearchHeader;

int btrfs_search(int fd, const BtrfsRange *range, BtrfsItemFunc each, void *userdata) {
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
                .nr_items = BTRFS_SEARCH_MAX,
        };
        if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, args) < 0)
                return negative_errno();

        for (uint32_t i = 0; i < args->key.nr_items; i++) {
                SearchHeader h;

                memcpy(&h, args->buf + at, sizeof(h));
                at += sizeof(h);
                each(userdata, h.offset, args->buf + at, h.len);
                at += h.len;
        }
        return 0;
}

int btrfs_search_quota(int fd, uint32_t type, uint64_t objectid, uint64_t offset,
                       BtrfsItemFunc each, void *userdata) {
        const BtrfsRange range = { .tree = BTRFS_QUOTA_TREE_OBJECTID,
                                   .objectid = objectid,
                                   .first = offset == UINT64_MAX ? 0 : offset,
                                   .last = offset,
                                   .type = type };

        return btrfs_search(fd, &range, each, userdata);
}

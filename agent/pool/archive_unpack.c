/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/unpacker.h"

int archive_unpack(int fd, int root_fd, const ArchiveLimits *limits, UnpackFlags flags,
                   const TreeProgress *progress, Error **err) {
        _cleanup_archive_input_ ArchiveInput in = { 0 };
        _cleanup_unpacker_ Unpacker u = {
                .in = &in,
                .limits = limits,
                .flags = flags,
                .prefix = "",
                .tree = TREE_WRITER_INIT(root_fd),
        };
        struct archive_entry *entry;
        uint64_t skipped;
        int r;

        r = archive_input_open(&in, fd, limits, false, progress, err);
        if (r < 0)
                return r;
        while ((r = archive_input_next(&in, &entry, &skipped, err)) > 0) {
                r = unpacker_skipped(&u, skipped, err);
                if (r >= 0)
                        r = unpacker_add(&u, entry, in.entry, err);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : unpacker_finish(&u, err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/archive_packer.h"

int archive_pack(int root_fd, const char *prefix, int fd, Compression compression,
                 const TreeProgress *progress, Error **err) {
        _cleanup_archive_output_ ArchiveOutput out = { 0 };
        int r;

        r = archive_output_open(&out, fd, compression, false, err);
        if (r >= 0)
                r = archive_pack_tree(&out, root_fd, prefix, progress, err);
        return r < 0 ? r : archive_output_close(&out, err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/archive.h"

static const char *const compression_names[] = {
        [COMPRESSION_NONE] = "none",
        [COMPRESSION_GZIP] = "gzip",
        [COMPRESSION_XZ] = "xz",
        [COMPRESSION_ZSTD] = "zstd",
};
static_assert(ELEMENTSOF(compression_names) == COMPRESSION_ZSTD + 1, "a name for each");

/* A root has 10^4 to 10^6 files; the disk, or its quota, is the other limit of bytes. Zeros
 * compress 1000 times with gzip and 30000 times with zstd: a file of zeros is no bomb yet. */
const ArchiveLimits archive_default_limits = {
        .entries = UINT64_C(20) * 1000 * 1000,
        .bytes = UINT64_C(16) << 40,
        .ratio = 1000,
        .ratio_from = UINT64_C(4) << 30,
};

const char *compression_to_string(Compression c) {
        return compression_names[c];
}

int compression_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(compression_names); i++)
                if (streq(s, compression_names[i]))
                        return (int) i;
        return -EINVAL;
}

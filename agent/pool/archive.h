#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Trees as tar streams (libarchive): with owners, modes, times, hard links, device nodes, xattrs,
 * ACLs and file capabilities; compressed with what the reader finds or the writer is told.
 *
 * An archive is hostile: no entry is written outside of the tree, whatever its name is ("..",
 * absolute, through a symlink or a hard link to one), and its size, its number of entries and
 * the ratio to what was read are limited.
 */

#include "agent/pool/pool_backend.h"

typedef enum ArchiveCompression {
        ARCHIVE_COMPRESSION_NONE,
        ARCHIVE_COMPRESSION_GZIP,
        ARCHIVE_COMPRESSION_XZ,
        ARCHIVE_COMPRESSION_ZSTD,
} ArchiveCompression;

const char *archive_compression_to_string(ArchiveCompression c); /* "none", "gzip", "xz", "zstd" */
int archive_compression_from_string(const char *s);              /* -EINVAL */

typedef struct ArchiveLimits {
        uint64_t entries;
        uint64_t bytes; /* written */
        uint64_t ratio; /* bytes written for each byte read, once more than 64 MiB are written */
} ArchiveLimits;

extern const ArchiveLimits archive_default_limits;

/* Unpacks the stream fd into the empty tree root_fd. -EBADMSG: not an archive, or a damaged one;
 * -EPERM: an entry that leaves the tree; -EFBIG: a limit; with the entry's name. */
int archive_unpack(int fd, int root_fd, const ArchiveLimits *limits, const TreeProgress *progress,
                   Error **err);

/* Writes the tree root_fd as a tar (pax) stream to fd, entries below prefix ("" or "root/").
 * Sockets are left out. Mounts are not crossed. */
int archive_pack(int root_fd, const char *prefix, int fd, ArchiveCompression compression,
                 const TreeProgress *progress, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Trees as tar streams (libarchive): with owners, modes, times, hard links, device nodes, xattrs,
 * ACLs and file capabilities; compressed with what the reader finds or the writer is told.
 *
 * An archive is hostile: no entry is written outside of the tree, whatever its name is ("..",
 * absolute, through a symlink or a hard link to one), and its size, its number of entries and
 * the ratio to what was read are limited.
 *
 * Needs root (owners, device nodes, any mode) and /proc.
 */

#include "agent/pool/pool_backend.h"

/* (ARCHIVE_COMPRESSION_… are macros of libarchive.) */
typedef enum Compression {
        COMPRESSION_NONE,
        COMPRESSION_GZIP,
        COMPRESSION_XZ,
        COMPRESSION_ZSTD,
} Compression;

const char *compression_to_string(Compression c); /* "none", "gzip", "xz", "zstd" */
int compression_from_string(const char *s);       /* -EINVAL */

typedef struct ArchiveLimits {
        uint64_t entries;
        uint64_t bytes;      /* of the files, without their holes */
        uint64_t ratio;      /* bytes that come out for each byte read, … */
        uint64_t ratio_from; /* … once more than so many bytes came out */
} ArchiveLimits;

extern const ArchiveLimits archive_default_limits;

typedef enum UnpackFlags {
        UNPACK_LABELS = 1 << 0, /* security.* other than capabilities too: SELinux labels, IMA, … */
} UnpackFlags;

/*
 * Unpacks the stream fd into the empty tree root_fd, to which nobody else writes. Tar in all its
 * variants, plain or gzip, bzip2, xz or zstd. An entry named "." is root_fd itself. A later entry
 * replaces an earlier one of the same name, but not a folder with something in it. Progress is in
 * bytes read from fd.
 *
 * -EBADMSG: not an archive, or a damaged or truncated one; -EPERM: an entry that leaves the tree;
 * -EFBIG: a limit; what the system says about one entry (-ENOSPC, …); progress's result. All with
 * the entry's name. What was unpacked until then stays.
 */
int archive_unpack(int fd, int root_fd, const ArchiveLimits *limits, UnpackFlags flags,
                   const TreeProgress *progress, Error **err);

/*
 * Writes the tree root_fd as a tar (pax) stream to fd, entries below prefix ("" or "root/"; the
 * tree itself is "./" or "root/"). Sockets are left out. Mounts are not crossed: the folder alone
 * is in the archive. Progress is in bytes read from files.
 *
 * -ESTALE: a file became shorter, or went away and came back as something else, while it was read.
 */
int archive_pack(int root_fd, const char *prefix, int fd, Compression compression,
                 const TreeProgress *progress, Error **err);

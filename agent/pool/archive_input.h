#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ArchiveInput: a tar stream, entry by entry, out of what may be compressed. Two readers of
 * libarchive stand behind one another, the first decompresses, the second reads tar, so that what
 * comes out of the first can be counted (a bomb may lie in headers that the second swallows), hashed
 * and looked at for its end.
 */

#include <archive.h>
#include <archive_entry.h>
#include <sodium.h>

#include "agent/pool/archive.h"
#include "agent/pool/archive_error.h"

#define ARCHIVE_BLOCK ((size_t) 64 * 1024) /* a multiple of tar's 512 */

typedef struct ArchiveInput {
        int fd; /* borrowed */
        const ArchiveLimits *limits;
        const TreeProgress *progress; /* NULL: none */
        ArchiveLocale locale;
        struct archive *filter;
        struct archive *tar;
        uint8_t *raw;   /* ARCHIVE_BLOCK; as it came from fd */
        uint8_t *block; /* ARCHIVE_BLOCK; what the tar reader looks at now */
        size_t block_size;
        const uint8_t *rest; /* of the filter's, not in a block yet */
        size_t rest_size;
        uint64_t n_read;      /* from fd */
        uint64_t n_out;       /* in blocks */
        uint64_t allowance;   /* blocks that the tar reader may take, in bytes */
        bool filter_end;      /* all is read */
        bool ends_in_zeros;   /* the last block of them, as tar ends */
        const char *entry;    /* borrowed; for progress and errors */
        int cause;            /* of an error that a callback met; 0: libarchive's */
        const char *sentence; /* static; for cause */
        bool hashing;         /* before block; see archive_input_digest() */
        crypto_hash_sha256_state hash;
} ArchiveInput;

/* Zeroed before. The first block is read. */
int archive_input_open(ArchiveInput *in, int fd, const ArchiveLimits *limits, bool hashing,
                       const TreeProgress *progress, Error **err);
void archive_input_done(ArchiveInput *in);
#define _cleanup_archive_input_ _cleanup_(archive_input_done)

/* 1 and the next entry, 0 at the end, which was read until the end of fd. *ret_skipped (may be
 * NULL): bytes of the entry before that nobody has read. */
int archive_input_next(ArchiveInput *in, struct archive_entry **ret, uint64_t *ret_skipped,
                       Error **err);

/* 1 and a piece of the entry's content, valid until the next call, within the size that the entry
 * says it has; 0 at the end. */
int archive_input_data(ArchiveInput *in, struct archive_entry *entry, const void **ret,
                       size_t *ret_size, uint64_t *ret_offset, Error **err);

/* SHA-256 of all before the header of the entry that was read last. Ends hashing. */
int archive_input_digest(ArchiveInput *in, uint8_t ret[static crypto_hash_sha256_BYTES],
                         Error **err);

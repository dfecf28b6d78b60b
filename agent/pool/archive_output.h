#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ArchiveOutput: entries become a tar (pax) stream, compressed if so wanted. As in ArchiveInput two
 * of libarchive's stand behind one another, so that what goes from tar to compression can be
 * hashed. The caller ignores SIGPIPE.
 */

#include <archive.h>
#include <archive_entry.h>
#include <sodium.h>

#include "agent/pool/archive.h"
#include "agent/pool/archive_error.h"

typedef struct ArchiveOutput {
        int fd; /* borrowed */
        ArchiveLocale locale;
        struct archive *filter;
        struct archive *tar;
        int cause;     /* of an error that a callback met */
        bool dropping; /* what still comes */
        bool hashing;
        crypto_hash_sha256_state hash;
} ArchiveOutput;

int archive_output_open(ArchiveOutput *out, int fd, Compression compression, bool hashing,
                        Error **err);
/* Leaves an archive that was not closed as it is: without an end. */
void archive_output_done(ArchiveOutput *out);
#define _cleanup_archive_output_ _cleanup_(archive_output_done)

int archive_output_header(ArchiveOutput *out, struct archive_entry *entry, Error **err);
/* Of the content; all of the size that the header said. */
int archive_output_data(ArchiveOutput *out, const void *data, size_t size, const char *path,
                        Error **err);
int archive_output_end_entry(ArchiveOutput *out, const char *path, Error **err);

/* A file of root's with that content. */
int archive_output_file(ArchiveOutput *out, const char *name, const char *content, int64_t seconds,
                        Error **err);

/* SHA-256 of all that was written. Ends hashing. */
void archive_output_digest(ArchiveOutput *out, uint8_t ret[static crypto_hash_sha256_BYTES]);

/* The end mark; all has gone to fd then. */
int archive_output_close(ArchiveOutput *out, Error **err);

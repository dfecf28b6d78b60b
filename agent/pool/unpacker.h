#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Unpacker: entries of an ArchiveInput become files of a tree. Shared by archives and bundles.
 */

#include "agent/pool/archive_input.h"
#include "agent/pool/later_folders.h"
#include "agent/pool/tree_writer.h"

typedef struct Unpacker {
        ArchiveInput *in;
        const ArchiveLimits *limits;
        UnpackFlags flags;
        const char *prefix; /* of the names that hard links refer to; "" or "root/" */
        TreeWriter tree;
        LaterFolders folders;
        uint64_t n_entries;
        uint64_t n_bytes;
} Unpacker;

void unpacker_done(Unpacker *u);
#define _cleanup_unpacker_ _cleanup_(unpacker_done)

/* The entry that in->entry names. name is its name in the tree, as the archive has it. */
int unpacker_add(Unpacker *u, struct archive_entry *entry, const char *name, Error **err);
/* What an entry has beside what unpacker_add() reads. */
int unpacker_skipped(Unpacker *u, uint64_t bytes, Error **err);
/* After the last one. */
int unpacker_finish(Unpacker *u, Error **err);

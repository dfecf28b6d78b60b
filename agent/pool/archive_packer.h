#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The files of a tree as entries of an ArchiveOutput. Shared by archives and bundles.
 */

#include "agent/pool/archive_output.h"

/* As archive_pack(), without beginning and end of the archive. */
int archive_pack_tree(ArchiveOutput *out, int root_fd, const char *prefix,
                      const TreeProgress *progress, Error **err);

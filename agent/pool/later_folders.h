#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LaterFolders: what folders get when all is in them: mode, ACLs, which new files would inherit,
 * and time. It is kept in a file without a name in the tree, so that an archive with millions of
 * folders, or with very long names, costs no memory.
 */

#include <archive_entry.h>

#include "agent/pool/node_meta.h"
#include "agent/pool/tree_writer.h"

typedef struct LaterFolders {
        FILE *file; /* NULL: not open */
} LaterFolders;

void later_folders_done(LaterFolders *l);

/* While the tree is empty. */
int later_folders_open(LaterFolders *l, int root_fd, Error **err);

/* path is that of tree_path(). */
int later_folders_add(LaterFolders *l, const char *path, struct archive_entry *entry, Error **err);

/* Does it all. A folder that has been replaced by something else since is left alone. */
int later_folders_apply(LaterFolders *l, TreeWriter *w, Error **err);

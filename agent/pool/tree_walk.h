#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Walking a tree that may change meanwhile, with two descriptors however deep it is: folder after
 * folder, not one within the other. What disappears on the way is left out.
 */

#include "agent/pool/beneath.h"
#include "base/error.h"

typedef struct TreeEntry {
        int dir_fd; /* the folder that it is in */
        const char *name;
        const char *path; /* from the tree's root */
        const struct statx *st;
} TreeEntry;

/* Results below 0 end the walk. Each may be NULL. */
typedef struct TreeVisitor {
        /* A folder, before what is in it; path "" is the root. */
        int (*enter)(void *userdata, int fd, const char *path, const struct statx *st);
        /* Each thing in it, folders too: 1 if that is to be walked as well. */
        int (*entry)(void *userdata, const TreeEntry *e);
        /* After all entries of that folder, but before what is in its folders. */
        int (*leave)(void *userdata, int fd, const char *path, const struct statx *st);
} TreeVisitor;

/* -ENAMETOOLONG: nested too deep for a path. */
int tree_walk(int root_fd, const TreeVisitor *visitor, void *userdata, Error **err);

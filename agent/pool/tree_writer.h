#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * TreeWriter: makes files in a tree by names that an enemy has chosen. Each step into the tree is
 * openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_XDEV, from the tree's own fd
 * or from a folder opened that way.
 */

#include <sys/stat.h>

#include "base/error.h"

typedef struct TreeWriter {
        int root_fd;   /* borrowed */
        int folder_fd; /* the folder that was used last; -1: none */
        char *folder;  /* its path */
} TreeWriter;

#define TREE_WRITER_INIT(fd)                                                                       \
        { .root_fd = (fd), .folder_fd = -1 }
void tree_writer_done(TreeWriter *w);
#define _cleanup_tree_writer_ _cleanup_(tree_writer_done)

/* The path "a/b/c" that a name in an archive stands for, without "." and empty parts; "." for the
 * tree itself. -EPERM for ".." and absolute names, -EBADMSG for an empty name. */
int tree_path(const char *name, char **ret, Error **err);

/* The folder that path (of tree_path(), not ".") is in; missing folders are made (0755 root).
 * *ret_fd is valid until the next call. -EPERM for a symlink or a mount on the way. */
int tree_writer_folder(TreeWriter *w, const char *path, int *ret_fd, const char **ret_name,
                       Error **err);

/* The folder path itself, opened for reading. -ENOENT, -ENOTDIR, -ELOOP, -EXDEV */
int tree_writer_open_folder(TreeWriter *w, const char *path);

/* Runs make(folder_fd, name, userdata), and if it says -EEXIST once more without what was in the
 * way: not a folder with something in it (-EBADMSG). Returns what make() did. */
int tree_writer_make(TreeWriter *w, const char *path,
                     int (*make)(int folder_fd, const char *name, void *userdata), void *userdata,
                     Error **err);

/* A folder, which may be there already. *ret_fd is the caller's. */
int tree_writer_make_folder(TreeWriter *w, const char *path, int *ret_fd, Error **err);

/* Makes path one more name of the regular file at target. */
int tree_writer_link(TreeWriter *w, const char *target, const char *path, Error **err);

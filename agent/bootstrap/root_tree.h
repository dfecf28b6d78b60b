#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RootTree: reading and changing files of a root tree that somebody else made and that nobody runs.
 *
 * Paths are as they are inside ("/etc/hostname"). Symlinks on the way are followed as they would be
 * inside (openat2(2), RESOLVE_IN_ROOT: "/etc -> /" is the tree's own top), since distributions have
 * such; so no path leaves the tree, and no other mount is entered. The last part of a path that is
 * written is never followed: what is there is replaced in one step, so that a file with further hard
 * links, or a symlink to elsewhere, is not written into. Only regular files are opened.
 */

#include <fcntl.h>
#include <sys/stat.h>

#include "base/error.h"

#define ROOT_TREE_FILE_MAX ((size_t) 1024 * 1024) /* of the configuration that we read */

typedef struct RootTree {
        int fd;      /* borrowed */
        uid_t shift; /* what id 0 of the tree is on disk, user and group */
} RootTree;

/* The folder at path. With create, missing ones are made (0755, the tree's root's). -ENOENT,
 * -ENOTDIR; -ELOOP for a symlink that leads nowhere; -EXDEV for another mount. */
int root_tree_folder(const RootTree *t, const char *path, bool create);

/* What stands at path, itself and not what it points to: 0, -ENOENT, … */
int root_tree_stat(const RootTree *t, const char *path, struct stat *ret);

/* True if path leads to something, through symlinks as well. */
bool root_tree_exists(const RootTree *t, const char *path);

/* A regular file for reading, of at most max bytes (-EFBIG). -EINVAL for anything else; with follow
 * symlinks are followed within the tree, without they are -ELOOP. */
int root_tree_open(const RootTree *t, const char *path, size_t max, bool follow);
int root_tree_read(const RootTree *t, const char *path, size_t max, bool follow, char **ret);

/* A regular file that can be run, through symlinks as well. */
bool root_tree_has_program(const RootTree *t, const char *path);

/* Who is to own a file that is written; NULL stands for the tree's root. */
typedef struct RootOwner {
        uid_t uid; /* on disk */
        gid_t gid;
} RootOwner;

/* Replaces path with a file of that content, mode and owner, in one step. The SELinux label of a
 * file that was there is kept; a new file has what the folder gives it. -EISDIR: a folder. */
int root_tree_write(const RootTree *t, const char *path, const char *content, mode_t mode,
                    const RootOwner *owner);

/* Replaces path with a symlink. */
int root_tree_link(const RootTree *t, const char *path, const char *target);

/* The target of a symlink; -EINVAL if it is something else. Owned. */
int root_tree_read_link(const RootTree *t, const char *path, char **ret);

/* Removes a file or symlink; 0 also if there was none. */
int root_tree_remove(const RootTree *t, const char *path);

/* "Cannot DOING PATH in the root tree: …"; returns r. */
int root_tree_error(Error **err, int r, const char *doing, const char *path);

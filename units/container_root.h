#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Walking into a container's tree, which somebody else may own and change while we are in it: no
 * symlink is followed and nothing outside of the tree is reached.
 */

#include "base/macro.h"

/* The tree's own folder, path below host_root ("" on a host). The pool may be a symlink or lie
 * behind one; anywhere else a symlink on the path is -ELOOP. -ENOENT if there is none, -ENOTDIR for
 * an image or another file, -EPERM if it is the host's own root. */
int container_root_open(const char *host_root, const char *path);

/* The folder at a relative path below; -ELOOP or -EXDEV if a symlink or another trick is in the
 * way, -ENOENT, -ENOTDIR. With create, missing folders are made (0755, owner and group of the
 * folder that they are in) and *ret_created is the number of trailing parts that are new. */
int container_root_folder(int root_fd, const char *path, bool create, unsigned *ret_created);

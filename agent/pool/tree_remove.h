#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Removal of a whole tree that a stranger has made: however deep it is, immutable or not, with
 * subvolumes or without. No symlink is followed and no mount is crossed.
 */

#include "agent/pool/pool_backend.h"

/* A file or a tree. -EBUSY, with the place, before anything is removed if something is mounted in
 * it; -ENOENT. */
int tree_remove(int dir_fd, const char *name, const TreeProgress *progress, Error **err);

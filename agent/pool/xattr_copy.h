#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Extended attributes of all namespaces, and so file capabilities, ACLs and labels.
 */

#include "base/macro.h"

/* From one open file or folder to another. -EOPNOTSUPP: there are file capabilities or an ACL, and
 * the target's filesystem has none; what else it has none of is left out. */
int xattr_copy(int from_fd, int to_fd);
/* Of what cannot be opened: symlinks, fifos, device nodes. */
int xattr_copy_at(int from_dir_fd, const char *from, int to_dir_fd, const char *to);

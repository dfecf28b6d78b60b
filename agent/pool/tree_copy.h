#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A whole copy of a tree: owners, modes, times, xattrs (file capabilities, ACLs, labels), hard
 * links within it, symlinks, fifos, device nodes, holes, chattr's "i" and "a". File contents are
 * shared with the source where the filesystem can (FICLONE). Sockets are left out.
 *
 * The source may be somebody else's and may change meanwhile: no symlink is followed, nothing
 * outside of it is read, no mount is crossed (where one is mounted the copy has an empty folder).
 */

#include "agent/pool/pool_backend.h"

/* Copies what is in from_fd into the empty folder to_fd, and gives that the attributes of the
 * other. What is half done when it fails is left to the caller. -ENAMETOOLONG: folders nested so
 * deep that no path can name them; -EINVAL: to_fd lies in from_fd; other errors as the system calls
 * have them, with the path. */
int tree_copy(int from_fd, int to_fd, const TreeProgress *progress, Error **err);

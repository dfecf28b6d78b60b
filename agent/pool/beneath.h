#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Opening what lies in a tree that a stranger may change meanwhile: no symlink is followed, no
 * mount is crossed, nothing outside of the tree is reached.
 */

#include <fcntl.h>
#include <sys/stat.h>

#include "base/macro.h"

/* A relative path; "" is the folder itself. O_CLOEXEC, O_NOCTTY and O_NONBLOCK are added to flags,
 * to O_PATH only the first. -ELOOP: a symlink on the way; -EXDEV: a mount, or the path leads out;
 * -ENAMETOOLONG. */
int beneath_open(int dir_fd, const char *path, int flags);

/* A regular file, and nothing else: what else may have the name by now is not opened, which a fifo or
 * a device would notice. flags are those of open(2), without O_CREAT. -ESTALE: it is something else.
 */
int beneath_open_regular(int dir_fd, const char *name, int flags);

/* What an O_PATH descriptor stands for, opened. Not for symlinks. */
int beneath_reopen(int fd, int flags);

/* statx(2) of a name in the folder, or with "" of the fd itself; no symlink is followed. */
int beneath_stat(int dir_fd, const char *name, struct statx *ret);

/* Something is mounted on it. */
bool beneath_is_mount(const struct statx *st);

/* Takes chattr's "i" and "a" from a file or folder (name "": from the fd itself), or gives them
 * back: flags are FS_IMMUTABLE_FL and FS_APPEND_FL. 0 also where the filesystem has no such thing,
 * if nothing is to be set. */
int beneath_set_flags(int dir_fd, const char *name, unsigned clear, unsigned set);

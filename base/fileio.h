#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whole files: bounded reads, atomic and durable writes. Paths are relative to a directory fd
 * (AT_FDCWD for the working directory).
 */

#include <fcntl.h>
#include <sys/types.h>

#include "base/macro.h"

/* Reads a regular file of at most max bytes; *ret is NUL-terminated (binary content is kept, see
 * *ret_size, which may be NULL). Never blocks on a FIFO or a device: -EINVAL for anything but a
 * regular file, -EFBIG when it is larger, -ELOOP when the last component is a symlink and
 * follow is false. */
int read_file_at(int dir_fd, const char *path, size_t max, bool follow, char **ret,
                 size_t *ret_size);

/* Reads from fd up to end of file, at most max bytes (-EFBIG beyond). For pipes and sockets. */
int read_stream(int fd, size_t max, char **ret, size_t *ret_size);

typedef enum WriteFlags {
        WRITE_SYNC = 1 << 0,        /* fsync the file and its directory: it survives power loss */
        WRITE_IF_CHANGED = 1 << 1,  /* leave a file alone that has this content and mode already */
        WRITE_NO_REPLACE = 1 << 2,  /* -EEXIST if the name is taken */
        WRITE_LIKE_PARENT = 1 << 3, /* owner and group of the directory, for files in a root */
} WriteFlags;

/* Replaces path with content in one step (temporary file ".#NAME.XXXXXX" in the same directory,
 * then rename). Returns 1 if written, 0 if WRITE_IF_CHANGED found nothing to do. */
int write_file_at(int dir_fd, const char *path, const char *content, size_t size, mode_t mode,
                  WriteFlags flags);

/* Removes a file; 0 also if it was not there (ret 1 if it was). */
int remove_file_at(int dir_fd, const char *path);

/* mkdir -p for an absolute path; existing folders are left as they are. */
int make_directories(const char *path, mode_t mode);

/* fsync of the directory that fd refers to or that path lies in. */
int sync_directory_of(int dir_fd, const char *path);

/* A temporary file left by a write that was interrupted (its name begins with ".#"). */
bool is_temporary_name(const char *name);

/* One that write_file_at() would make for a file whose name ends with suffix: ".#web.nspawn.HEX" for
 * ".nspawn". systemctl edit and editors use the prefix as well, hence the whole pattern. */
bool is_own_temporary_name(const char *name, const char *suffix);

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/file_copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "agent/pool/tree_progress.h"

#define CHUNK ((size_t) 16 * 1024 * 1024)
#define BUFFER ((size_t) 256 * 1024)

static int copy_buffered(int from_fd, int to_fd, off_t *offset, size_t size) {
        _cleanup_free_ char *buffer = malloc(BUFFER);
        ssize_t n, written = 0;

        if (!buffer)
                return -ENOMEM;
        n = pread(from_fd, buffer, size < BUFFER ? size : BUFFER, *offset);
        if (n <= 0)
                return n < 0 ? negative_errno() : 0;
        while (written < n) {
                ssize_t k =
                        pwrite(to_fd, buffer + written, (size_t) (n - written), *offset + written);

                if (k < 0)
                        return negative_errno();
                written += k;
        }
        *offset += n;
        return (int) n;
}

/* Some bytes at *offset; 0: there are no more. */
static int copy_some(int from_fd, int to_fd, off_t *offset, size_t size) {
        off_t to = *offset;
        ssize_t n = copy_file_range(from_fd, offset, to_fd, &to, size < CHUNK ? size : CHUNK, 0);

        /* Kernels before 5.19 say EXDEV between filesystems; 0 at the start is said by files that
         * have no real size. */
        if ((n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP ||
                       errno == ENOSYS || errno == EPERM)) ||
            n == 0)
                return copy_buffered(from_fd, to_fd, offset, size);
        return n < 0 ? negative_errno() : (int) n;
}

static int copy_range(FileCopy *c, int from_fd, int to_fd, off_t start, off_t end,
                      const char *path) {
        while (start < end) {
                int n = copy_some(from_fd, to_fd, &start, (size_t) (end - start)), r;

                if (n <= 0)
                        return n;
                c->done += (uint64_t) n;
                r = tree_progress(c->progress, c->done, path);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int copy_data(FileCopy *c, int from_fd, int to_fd, const char *path) {
        off_t at = 0;
        struct stat st;
        int r;

        if (fstat(from_fd, &st) < 0)
                return negative_errno();
        while (at < st.st_size) {
                off_t data = lseek(from_fd, at, SEEK_DATA), hole;

                if (data < 0 && errno == ENXIO)
                        break;
                hole = data < 0 ? -1 : lseek(from_fd, data, SEEK_HOLE);
                if (data < 0 || hole < 0) {
                        data = at;
                        hole = st.st_size;
                }
                if (hole > st.st_size)
                        hole = st.st_size;
                r = copy_range(c, from_fd, to_fd, data, hole, path);
                if (r != 0)
                        return r;
                at = hole > data ? hole : st.st_size;
        }
        return ftruncate(to_fd, st.st_size) < 0 ? negative_errno() : 0;
}

int file_copy_content(FileCopy *c, int from_fd, int to_fd, const char *path) {
        if (!c->no_clone) {
                if (ioctl(to_fd, FICLONE, from_fd) >= 0) {
                        struct stat st;

                        if (fstat(to_fd, &st) >= 0)
                                c->done += (uint64_t) st.st_blocks * 512;
                        return tree_progress(c->progress, c->done, path);
                }
                if (errno == ENOSPC || errno == EDQUOT || errno == EIO)
                        return negative_errno();
                /* EINVAL is said of single files (chattr's C on one side). */
                c->no_clone = errno != EINVAL && errno != ETXTBSY;
        }
        return copy_data(c, from_fd, to_fd, path);
}

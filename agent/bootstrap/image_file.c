/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/image_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/pool/file_copy.h"

int image_file_copy(int from_dir_fd, const char *from, int to_dir_fd, const char *to,
                    const TreeProgress *progress, int *ret_fd) {
        _cleanup_close_ int from_fd = -1, to_fd = -1;
        FileCopy copy = { .progress = progress };
        struct stat st;
        int r;

        from_fd = openat(from_dir_fd, from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (from_fd < 0 || fstat(from_fd, &st) < 0)
                return negative_errno();
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        to_fd = openat(to_dir_fd, to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (to_fd < 0)
                return negative_errno();
        r = file_copy_content(&copy, from_fd, to_fd, from);
        if (r < 0)
                return r;
        if (ret_fd)
                *ret_fd = TAKE_FD(to_fd);
        return 0;
}

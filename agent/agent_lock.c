/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/agent_lock.h"

#include <fcntl.h>

#include "units/run_dir.h"

/* For people; the lock is what counts. */
static void write_pid(int fd) {
        char text[32];
        int n = snprintf(text, sizeof(text), "%ld\n", (long) getpid());

        if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t) n, 0) < 0)
                return;
}

int agent_lock_take(int run_fd) {
        _cleanup_close_ int fd = -1;

        /* 0600: whoever can open the file can lock it, and so make the hook believe that an agent
         * is alive. */
        fd = openat(run_fd, strrchr(CTVIRT_AGENT_PID_FILE, '/') + 1,
                    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0)
                return negative_errno();
        /* Of the open file description: the hook can look at it without taking it, and so cannot be
         * in the way of an agent that starts. */
        if (fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET }) < 0)
                return negative_errno();

        write_pid(fd);
        return TAKE_FD(fd);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/volume_lock.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "units/text.h"

void volume_lock_done(VolumeLock *l) {
        /* Before it is let go: another who waits for the lock finds the file gone, and makes it
         * again. */
        if (l->fd >= 0)
                (void) unlinkat(l->pool_fd, l->name, 0);
        closep(&l->fd);
        free(l->name);
        *l = VOLUME_LOCK_INIT;
}

/* An open file that is locked; -EBUSY; -ESTALE: it was removed by the one who had it. */
static int open_locked(int pool_fd, const char *name) {
        const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        _cleanup_close_ int fd = -1;
        struct stat st;

        fd = openat(pool_fd, name,
                    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
        if (fd < 0)
                return negative_errno();
        if (fcntl(fd, F_OFD_SETLK, &whole) < 0)
                return errno == EAGAIN || errno == EACCES ? -EBUSY : negative_errno();
        if (fstat(fd, &st) < 0)
                return negative_errno();
        return st.st_nlink > 0 ? TAKE_FD(fd) : -ESTALE;
}

int volume_lock(const Pool *p, const char *file, VolumeLock *ret, Error **err) {
        _cleanup_free_ char *name = text_format(".#%s.lck", file);
        int fd;

        if (!name)
                return -ENOMEM;
        do
                fd = open_locked(p->fd, name);
        while (fd == -ESTALE);
        if (fd == -EBUSY)
                return error_set(err, EBUSY,
                                 "'%s/%s' is in use: its container runs, or machinectl works on "
                                 "it; nothing was changed, stop the container first",
                                 p->path, file);
        if (fd < 0)
                return error_set(err, -fd, "cannot lock '%s/%s' (%s): %s", p->path, file, name,
                                 strerror(-fd));
        *ret = (VolumeLock){ .pool_fd = p->fd, .fd = fd, .name = TAKE_PTR(name) };
        return 0;
}

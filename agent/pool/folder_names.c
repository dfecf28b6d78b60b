/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/folder_names.h"

#include <dirent.h>
#include <fcntl.h>

DEFINE_CLEANUP(DIR *, closedir)

int folder_names(int fd, char ***ret) {
        _cleanup_(closedirp) DIR *d = NULL;
        _cleanup_strv_ char **names = NULL;
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (copy < 0)
                return negative_errno();
        d = fdopendir(copy);
        if (!d) {
                (void) close(copy);
                return -ENOMEM;
        }
        for (;;) {
                const struct dirent *e;

                errno = 0;
                e = readdir(d);
                if (!e && errno > 0)
                        return negative_errno();
                if (!e)
                        break;
                if (!streq(e->d_name, ".") && !streq(e->d_name, "..") &&
                    strv_extend(&names, e->d_name) < 0)
                        return -ENOMEM;
        }
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

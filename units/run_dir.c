/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/run_dir.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fileio.h"
#include "base/macro.h"
#include "units/bridge_marker.h"

typedef struct Folder {
        const char *name; /* below CTVIRT_RUN_DIR */
        mode_t mode;
} Folder;

static const Folder folders[] = {
        { "bridges", 0755 }, { "handled", 0755 }, { "networks", 0755 },
        { "retries", 0755 }, { "lock", 0700 }, /* whoever can open a lock file can keep everybody else waiting */
};

static int make_folder(int dir_fd, const char *name, mode_t mode) {
        if (mkdirat(dir_fd, name, mode) < 0)
                return errno == EEXIST ? 0 : negative_errno();
        /* The umask is libvirt's or whoever's. */
        return fchmodat(dir_fd, name, mode, 0) < 0 ? negative_errno() : 0;
}

static int open_folder(int dir_fd, const char *path) {
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? negative_errno() : fd;
}

/* The directory that CTVIRT_RUN_DIR stands in. */
static int open_parent(const char *root) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (asprintf(&path, "%s/run", root) < 0)
                return -ENOMEM;
        if (!isempty(root)) {
                r = make_directories(path, 0755);
                if (r < 0)
                        return r;
        }
        return open_folder(AT_FDCWD, path);
}

int run_dir_open_at(const char *root) {
        _cleanup_close_ int parent_fd = -1, fd = -1;
        const char *name = strrchr(CTVIRT_RUN_DIR, '/') + 1;
        int r;

        parent_fd = open_parent(root);
        if (parent_fd < 0)
                return parent_fd;
        r = make_folder(parent_fd, name, 0755);
        if (r < 0)
                return r;
        fd = open_folder(parent_fd, name);
        if (fd < 0)
                return fd;

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                r = make_folder(fd, folders[i].name, folders[i].mode);
                if (r < 0)
                        return r;
        }
        return TAKE_FD(fd);
}

int run_dir_open(void) {
        return run_dir_open_at("");
}

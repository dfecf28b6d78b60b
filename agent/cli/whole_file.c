/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/whole_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>
#include <sys/stat.h>

#define PROC_FD "/proc/self/fd/%d"
#define TEMPORARY ".#ctvirt.%016" PRIx64
#define TEMPORARY_MAX (sizeof(".#ctvirt.") + 16)
#define PROC_FD_MAX 32

struct WholeFile {
        int fd, folder_fd;
        char *name;
        char temporary[TEMPORARY_MAX]; /* empty: it has no name yet */
        struct stat old;
        bool replaces;
};

static int make_temporary_name(WholeFile *f) {
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return negative_errno();
        (void) snprintf(f->temporary, sizeof(f->temporary), TEMPORARY, random);
        return 0;
}

static void remove_temporary(WholeFile *f) {
        if (*f->temporary)
                (void) unlinkat(f->folder_fd, f->temporary, 0);
        *f->temporary = '\0';
}

static int open_new(WholeFile *f) {
        int r;

        f->fd = openat(f->folder_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        if (f->fd >= 0)
                return 0;
        if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)
                return negative_errno();

        r = make_temporary_name(f);
        if (r < 0)
                return r;
        f->fd = openat(f->folder_fd, f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (f->fd >= 0)
                return 0;
        r = negative_errno();
        *f->temporary = '\0';
        return r;
}

static int look_at_old(WholeFile *f) {
        if (fstatat(f->folder_fd, f->name, &f->old, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : negative_errno();
        if (S_ISDIR(f->old.st_mode))
                return -EISDIR;
        f->replaces = true;
        return faccessat(f->folder_fd, f->name, W_OK, AT_EACCESS) < 0 ? negative_errno() : 0;
}

/* Folder and name of a path in which no symlink is left at the end. */
static int take_path(WholeFile *f, const char *path) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        _cleanup_free_ char *folder = NULL;

        if (!*name)
                return *path ? -EISDIR : -ENOENT;
        f->name = strdup(name);
        folder = slash ? strndup(path, (size_t) (name - path)) : strdup(".");
        if (!f->name || !folder)
                return -ENOMEM;
        f->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return f->folder_fd < 0 ? negative_errno() : 0;
}

int whole_file_new(WholeFile **ret, const char *path) {
        _cleanup_free_ char *real = realpath(path, NULL);
        _cleanup_whole_file_ WholeFile *f = calloc(1, sizeof(*f));
        struct stat st;
        int r;

        if (!f)
                return -ENOMEM;
        f->fd = f->folder_fd = -1;
        /* A symlink to nothing is not one to put aside. */
        if (!real && lstat(path, &st) >= 0)
                return -ENOENT;
        r = take_path(f, real ? real : path);
        if (r >= 0)
                r = look_at_old(f);
        if (r >= 0)
                r = open_new(f);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(f);
        return 0;
}

WholeFile *whole_file_free(WholeFile *f) {
        if (!f)
                return NULL;

        remove_temporary(f);
        closep(&f->fd);
        closep(&f->folder_fd);
        free(f->name);
        free(f);
        return NULL;
}

int whole_file_fd(const WholeFile *f) {
        return f->fd;
}

/* Who may not give files away keeps it for himself, and then nobody else reads it. */
static int make_like_old(WholeFile *f) {
        if (!f->replaces || fchown(f->fd, f->old.st_uid, f->old.st_gid) < 0)
                return 0;
        return fchmod(f->fd, f->old.st_mode & 0666) < 0 ? negative_errno() : 0;
}

/* linkat(2): without privileges it takes this way through proc(5). */
static int give_name(WholeFile *f) {
        char self[PROC_FD_MAX];
        int r;

        if (*f->temporary)
                return 0;
        r = make_temporary_name(f);
        if (r < 0)
                return r;
        (void) snprintf(self, sizeof(self), PROC_FD, f->fd);
        if (linkat(AT_FDCWD, self, f->folder_fd, f->temporary, AT_SYMLINK_FOLLOW) >= 0)
                return 0;
        r = negative_errno();
        *f->temporary = '\0';
        return r;
}

int whole_file_commit(WholeFile *f) {
        int r;

        r = make_like_old(f);
        if (r >= 0 && fsync(f->fd) < 0)
                r = negative_errno();
        if (r >= 0)
                r = give_name(f);
        if (r < 0)
                return r;
        if (renameat(f->folder_fd, f->temporary, f->folder_fd, f->name) < 0)
                return negative_errno();
        *f->temporary = '\0';
        return fsync(f->folder_fd) < 0 && errno != EINVAL ? negative_errno() : 0;
}

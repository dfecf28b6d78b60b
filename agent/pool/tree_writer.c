/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/tree_writer.h"

#include <fcntl.h>
#include <limits.h>

#include "agent/pool/archive_error.h"
#include "agent/pool/beneath.h"

/* Paths are opened in pieces, the kernel takes none that is longer than PATH_MAX. */
#define PIECE_MAX (PATH_MAX - NAME_MAX - 2)

void tree_writer_done(TreeWriter *w) {
        closep(&w->folder_fd);
        free(w->folder);
        *w = (TreeWriter) TREE_WRITER_INIT(-1);
}

static void forget_folder(TreeWriter *w) {
        int root_fd = w->root_fd;

        tree_writer_done(w);
        w->root_fd = root_fd;
}

static int add_part(char *path, size_t *used, const char *part, size_t size) {
        if (size == 0 || (size == 1 && part[0] == '.'))
                return 0;
        if (size == 2 && part[0] == '.' && part[1] == '.')
                return -EPERM;
        if (*used > 0)
                path[(*used)++] = '/';
        memcpy(path + *used, part, size);
        *used += size;
        return 0;
}

int tree_path(const char *name, char **ret, Error **err) {
        _cleanup_free_ char *path = NULL;
        size_t used = 0;

        if (!*name)
                return archive_error(err, EBADMSG, NULL, "the archive has an entry without a name");
        if (*name == '/')
                return archive_error(err, EPERM, name,
                                     "an absolute name: it does not belong into the tree");
        path = malloc(strlen(name) + 2);
        if (!path)
                return -ENOMEM;
        for (const char *p = name; *p; p += strspn(p, "/")) {
                size_t n = strcspn(p, "/");

                if (add_part(path, &used, p, n) < 0)
                        return archive_error(err, EPERM, name, "its name leads out of the tree");
                p += n;
        }
        if (used == 0)
                path[used++] = '.';
        path[used] = '\0';
        *ret = TAKE_PTR(path);
        return 0;
}

/* Opens piece by piece; with create, folders that are missing are made. */
static int walk(int start_fd, const char *path, bool create) {
        _cleanup_close_ int fd = fcntl(start_fd, F_DUPFD_CLOEXEC, 3);
        _cleanup_free_ char *piece = NULL;
        int next;

        if (fd < 0)
                return negative_errno();
        while (*path) {
                size_t n = create ? strcspn(path, "/") : strlen(path);

                while (n > PIECE_MAX) {
                        const char *slash = memrchr(path, '/', n);

                        if (!slash)
                                return -ENAMETOOLONG;
                        n = (size_t) (slash - path);
                }
                free(piece);
                piece = strndup(path, n);
                if (!piece)
                        return -ENOMEM;
                if (create && mkdirat(fd, piece, 0755) < 0 && errno != EEXIST)
                        return negative_errno();
                next = beneath_open(fd, piece, O_RDONLY | O_DIRECTORY);
                if (next < 0)
                        return next;
                (void) close(fd);
                fd = next;
                path += n;
                path += strspn(path, "/");
        }
        return TAKE_FD(fd);
}

int tree_writer_open_folder(TreeWriter *w, const char *path) {
        return walk(w->root_fd, streq(path, ".") ? "" : path, false);
}

static int folder_error(int r, const char *path, Error **err) {
        if (r == -ELOOP)
                return archive_error(err, EPERM, path, "it lies behind a symbolic link");
        if (r == -EXDEV)
                return archive_error(err, EPERM, path, "it lies behind a mount point");
        if (r == -ENOTDIR)
                return archive_error(err, EBADMSG, path, "it lies in something that is no folder");
        return archive_error(err, -r, path, "the folder that it is in: %s", strerror(-r));
}

static int change_folder(TreeWriter *w, const char *folder) {
        const char *rest = w->folder ? startswith(folder, w->folder) : NULL;
        _cleanup_free_ char *copy = NULL;
        int start_fd = w->root_fd, fd;

        if (rest && *rest == '/')
                start_fd = w->folder_fd;
        else
                rest = folder;
        rest += strspn(rest, "/");
        copy = strdup(folder);
        if (!copy)
                return -ENOMEM;
        fd = walk(start_fd, rest, false);
        if (fd == -ENOENT)
                fd = walk(start_fd, rest, true);
        if (fd < 0)
                return fd;
        forget_folder(w);
        w->folder_fd = fd;
        w->folder = TAKE_PTR(copy);
        return 0;
}

int tree_writer_folder(TreeWriter *w, const char *path, int *ret_fd, const char **ret_name,
                       Error **err) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *folder = NULL;
        int r;

        *ret_name = slash ? slash + 1 : path;
        if (!slash) {
                *ret_fd = w->root_fd;
                return 0;
        }
        folder = strndup(path, (size_t) (slash - path));
        if (!folder)
                return -ENOMEM;
        if (!w->folder || !streq(w->folder, folder)) {
                r = change_folder(w, folder);
                if (r < 0)
                        return folder_error(r, path, err);
        }
        *ret_fd = w->folder_fd;
        return 0;
}

static int clear_name(TreeWriter *w, int folder_fd, const char *name, const char *path,
                      Error **err) {
        if (unlinkat(folder_fd, name, 0) >= 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR)
                return archive_errno_error(err, path, "what it replaces cannot be removed");
        if (unlinkat(folder_fd, name, AT_REMOVEDIR) < 0)
                return errno == ENOTEMPTY || errno == EEXIST
                               ? archive_error(
                                         err, EBADMSG, path,
                                         "the archive has it as a folder with something in it too")
                               : archive_errno_error(err, path,
                                                     "what it replaces cannot be removed");
        /* The folder used last may have been it. */
        if (w->folder && !startswith(path, w->folder))
                forget_folder(w);
        return 0;
}

int tree_writer_make(TreeWriter *w, const char *path,
                     int (*make)(int folder_fd, const char *name, void *userdata), void *userdata,
                     Error **err) {
        const char *name = NULL;
        int fd = -1, r;

        r = tree_writer_folder(w, path, &fd, &name, err);
        if (r < 0)
                return r;
        r = make(fd, name, userdata);
        if (r == -EEXIST) {
                r = clear_name(w, fd, name, path, err);
                if (r < 0)
                        return r;
                r = tree_writer_folder(w, path, &fd, &name, err);
                if (r < 0)
                        return r;
                r = make(fd, name, userdata);
        }
        if (r < 0)
                return archive_error(err, -r, path, "cannot be made: %s", strerror(-r));
        return r;
}

/* Of what is there, only a folder is good. */
static int make_folder(int folder_fd, const char *name, void *userdata) {
        int fd;

        if (mkdirat(folder_fd, name, 0700) < 0 && errno != EEXIST)
                return negative_errno();
        fd = beneath_open(folder_fd, name, O_RDONLY | O_DIRECTORY);
        return fd == -ENOTDIR || fd == -ELOOP ? -EEXIST : fd;
}

int tree_writer_make_folder(TreeWriter *w, const char *path, int *ret_fd, Error **err) {
        int r;

        if (streq(path, "."))
                r = walk(w->root_fd, "", false);
        else
                r = tree_writer_make(w, path, make_folder, NULL, err);
        if (r < 0)
                return r;
        *ret_fd = r;
        return 0;
}

typedef struct Link {
        int target_fd;
        const char *target_name;
} Link;

static int make_link(int folder_fd, const char *name, void *userdata) {
        const Link *l = userdata;

        return linkat(l->target_fd, l->target_name, folder_fd, name, 0) < 0 ? negative_errno() : 0;
}

/* True if path is the file already: it must not be removed to make room for itself. */
static bool is_same(TreeWriter *w, const char *path, const struct stat *target) {
        const char *name = NULL;
        struct stat st;
        int fd = -1;

        return tree_writer_folder(w, path, &fd, &name, NULL) >= 0 &&
               fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && st.st_dev == target->st_dev &&
               st.st_ino == target->st_ino;
}

int tree_writer_link(TreeWriter *w, const char *target, const char *path, Error **err) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        Link l = { .target_fd = -1 };
        int r;

        r = tree_writer_folder(w, target, &l.target_fd, &l.target_name, err);
        if (r < 0)
                return r;
        /* The folder of path takes the place of that of target in w. */
        fd = fcntl(l.target_fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return archive_errno_error(err, path, "cannot be made");
        l.target_fd = fd;
        if (fstatat(fd, l.target_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return archive_errno_error(err, path, "the file that it is a hard link to");
        if (!S_ISREG(st.st_mode))
                return archive_error(err, EPERM, path, "a hard link to what is no regular file");
        if (is_same(w, path, &st))
                return 0;
        return tree_writer_make(w, path, make_link, &l, err);
}

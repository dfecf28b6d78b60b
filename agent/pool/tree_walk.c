/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/tree_walk.h"

#include <dirent.h>

#include "base/strv.h"
#include "units/dir_list.h"

DEFINE_CLEANUP(DIR *, closedir)

typedef struct Walk {
        int root_fd;
        const TreeVisitor *visitor;
        void *userdata;
        char **folders; /* found, and not walked yet */
        size_t n_folders, allocated;
        Error **err;
} Walk;

static void walk_done(Walk *w) {
        for (size_t i = 0; i < w->n_folders; i++)
                free(w->folders[i]);
        free(w->folders);
}

static int walk_push(Walk *w, const char *path) {
        char *copy;

        if (w->n_folders == w->allocated) {
                size_t wanted = w->allocated ? w->allocated * 2 : 64;
                char **grown = reallocarray(w->folders, wanted, sizeof(char *));

                if (!grown)
                        return -ENOMEM;
                w->folders = grown;
                w->allocated = wanted;
        }
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        w->folders[w->n_folders++] = copy;
        return 0;
}

/* What is no more, or is something else by now. */
static bool has_vanished(int r) {
        return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -ESTALE;
}

static int walk_entry(Walk *w, int dir_fd, const char *folder, const char *name) {
        _cleanup_free_ char *path = NULL;
        struct statx st;
        int r;

        r = beneath_stat(dir_fd, name, &st);
        if (has_vanished(r))
                return 0;
        if (asprintf(&path, "%s%s%s", folder, *folder ? "/" : "", name) < 0)
                return -ENOMEM;
        if (r < 0)
                return error_set(w->err, -r, "cannot look at '%s': %s", path, strerror(-r));

        r = w->visitor->entry(w->userdata, &(TreeEntry){ dir_fd, name, path, &st });
        if (r == 0 || has_vanished(r) || (r > 0 && !S_ISDIR(st.stx_mode)))
                return 0;
        if (r < 0)
                return error_set(w->err, -r, "'%s': %s", path, strerror(-r));
        return walk_push(w, path);
}

static int walk_entries(Walk *w, int fd, const char *path) {
        _cleanup_(closedirp) DIR *d = NULL;
        int opened = dir_open(fd, &d);

        if (opened < 0)
                return opened;
        for (;;) {
                const struct dirent *e;
                int r;

                errno = 0;
                e = readdir(d);
                if (!e)
                        return errno > 0 ? negative_errno() : 0;
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                r = walk_entry(w, fd, path, e->d_name);
                if (r < 0)
                        return r;
        }
}

static int walk_opened(Walk *w, int fd, const char *path) {
        const TreeVisitor *v = w->visitor;
        struct statx st;
        int r;

        r = beneath_stat(fd, "", &st);
        if (r >= 0 && v->enter)
                r = v->enter(w->userdata, fd, path, &st);
        if (r >= 0 && v->entry)
                r = walk_entries(w, fd, path);
        if (r >= 0 && v->leave)
                r = v->leave(w->userdata, fd, path, &st);
        if (r < 0)
                return error_set(w->err, -r, "'%s': %s", *path ? path : "/", strerror(-r));
        return 0;
}

static int walk_folder(Walk *w, const char *path) {
        _cleanup_close_ int fd = -1;

        fd = beneath_open(w->root_fd, path, O_RDONLY | O_DIRECTORY);
        if (has_vanished(fd) || fd == -EXDEV)
                return 0;
        if (fd == -ENAMETOOLONG)
                return error_set(w->err, ENAMETOOLONG,
                                 "folders are nested deeper than a path can name: '%.100s…'", path);
        if (fd < 0)
                return error_set(w->err, -fd, "cannot open '%s': %s", path, strerror(-fd));
        return walk_opened(w, fd, path);
}

int tree_walk(int root_fd, const TreeVisitor *visitor, void *userdata, Error **err) {
        _cleanup_(walk_done) Walk w = {
                .root_fd = root_fd, .visitor = visitor, .userdata = userdata, .err = err
        };
        int r;

        r = walk_opened(&w, root_fd, "");
        while (r >= 0 && w.n_folders > 0) {
                _cleanup_free_ char *path = w.folders[--w.n_folders];

                r = walk_folder(&w, path);
        }
        return r < 0 ? r : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/rpm_database.h"

#include <dirent.h>

#define MACROS "/usr/lib/rpm/macros"
#define DEBIAN_PATH "/root/.rpmdb"
#define WHITESPACE " \t"

DEFINE_CLEANUP(DIR *, closedir)

/* The file that a backend's database is in, rpm's lib/backend. */
static const struct {
        const char *backend;
        const char *file;
} backends[] = {
        { "sqlite", "rpmdb.sqlite" },
        { "bdb", "Packages" },
        { "ndb", "Packages.db" },
};

/* "%NAME<blanks>VALUE"; -ENOENT. */
static int read_macro(const RootTree *t, const char *name, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t length = strlen(name);
        char *rest;
        int r;

        r = root_tree_read(t, MACROS, ROOT_TREE_FILE_MAX, true, &text);
        if (r < 0)
                return r;
        rest = text;
        for (char *line; (line = strsep(&rest, "\n"));) {
                char *value;

                if (strncmp(line, name, length) != 0 || !strchr(WHITESPACE, line[length]))
                        continue;
                value = line + length + strspn(line + length, WHITESPACE);
                value[strcspn(value, WHITESPACE)] = '\0';
                *ret = strdup(value);
                return *ret ? 0 : -ENOMEM;
        }
        return -ENOENT;
}

int rpm_database_path(const RootTree *t, char **ret) {
        static const struct {
                const char *macro;
                const char *value;
        } folders[] = {
                { "%{_var}", "/var" },
                { "%{_localstatedir}", "/var" },
                { "%{_usr}", "/usr" },
                { "%{_prefix}", "/usr" },
        };
        _cleanup_free_ char *value = NULL;
        int r;

        r = read_macro(t, "%_dbpath", &value);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                const char *rest = startswith(value, folders[i].macro);

                if (rest && *rest == '/' && !strchr(rest, '%'))
                        return asprintf(ret, "%s%s", folders[i].value, rest) < 0 ? -ENOMEM : 0;
        }
        *ret = strdup(*value == '/' && !strchr(value, '%') ? value : "/var/lib/rpm");
        return *ret ? 0 : -ENOMEM;
}

static int move_files(int from_fd, int to_fd) {
        _cleanup_(closedirp) DIR *dir = NULL;
        const struct dirent *e;
        int fd = dup(from_fd);

        dir = fd >= 0 ? fdopendir(fd) : NULL;
        if (!dir) {
                closep(&fd);
                return -ENOMEM;
        }
        while ((e = readdir(dir)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, "..") &&
                    renameat(from_fd, e->d_name, to_fd, e->d_name) < 0)
                        return negative_errno();
        return 0;
}

int rpm_database_move(const RootTree *t, Error **err) {
        _cleanup_close_ int from_fd = -1, to_fd = -1, parent_fd = -1;
        _cleanup_free_ char *path = NULL;
        int r;

        r = rpm_database_path(t, &path);
        if (r < 0)
                return r == -ENOENT ? 0 : root_tree_error(err, r, "read", MACROS);
        from_fd = root_tree_folder(t, DEBIAN_PATH, false);
        if (from_fd == -ENOENT || streq(path, DEBIAN_PATH))
                return 0;
        if (from_fd < 0)
                return root_tree_error(err, from_fd, "open", DEBIAN_PATH);
        to_fd = root_tree_folder(t, path, true);
        r = to_fd < 0 ? to_fd : move_files(from_fd, to_fd);
        if (r < 0)
                return root_tree_error(err, r, "move the package database to", path);
        parent_fd = root_tree_folder(t, "/root", false);
        if (parent_fd >= 0)
                (void) unlinkat(parent_fd, ".rpmdb", AT_REMOVEDIR);
        return 1;
}

static bool has_file(const RootTree *t, const char *folder, const char *name) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        return asprintf(&path, "%s/%s", folder, name) >= 0 && root_tree_stat(t, path, &st) >= 0 &&
               S_ISREG(st.st_mode);
}

int rpm_database_needs_rebuild(int root_fd) {
        const RootTree tree = { .fd = root_fd };
        _cleanup_free_ char *path = NULL, *backend = NULL;
        int r;

        r = rpm_database_path(&tree, &path);
        if (r >= 0)
                r = read_macro(&tree, "%_db_backend", &backend);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; i < ELEMENTSOF(backends); i++)
                if (has_file(&tree, path, backends[i].file) && !streq(backend, backends[i].backend))
                        return 1;
        return 0;
}

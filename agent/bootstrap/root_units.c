/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/root_units.h"

#include <dirent.h>

#include "base/strv.h"
#include "units/conf_file.h"

#define UNIT_FOLDER "/etc/systemd/system"
#define UNITS_MAX 32 /* that one unit can name in Also= */

DEFINE_CLEANUP(DIR *, closedir)

/* Of the distribution, and of the administrator. */
static const char *const folders[] = {
        "/etc/systemd/system",
        "/usr/lib/systemd/system",
        "/lib/systemd/system",
};

typedef struct Install {
        char **wanted_by;
        char **required_by;
        char **aliases;
        char **also;
} Install;

static void install_done(Install *i) {
        strv_free(i->wanted_by);
        strv_free(i->required_by);
        strv_free(i->aliases);
        strv_free(i->also);
}

/* What may stand in a path that we make. */
static bool unit_name_is_safe(const char *s) {
        return *s && *s != '.' && strlen(s) < 200 && !strchr(s, '/') && strchr(s, '.');
}

static int add_words(char ***v, const char *value) {
        _cleanup_free_ char *copy = strdup(value);
        char *state = NULL;
        int r;

        if (!copy)
                return -ENOMEM;
        for (char *w = strtok_r(copy, " \t", &state); w; w = strtok_r(NULL, " \t", &state)) {
                if (!unit_name_is_safe(w) || strv_contains(*v, w) || strv_length(*v) >= UNITS_MAX)
                        continue;
                r = strv_extend(v, w);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int on_assignment(const char *section, const char *key, const char *value, void *userdata) {
        Install *install = userdata;

        if (!streq(section, "Install"))
                return 0;
        if (streq(key, "WantedBy"))
                return add_words(&install->wanted_by, value);
        if (streq(key, "RequiredBy"))
                return add_words(&install->required_by, value);
        if (streq(key, "Alias"))
                return add_words(&install->aliases, value);
        return streq(key, "Also") ? add_words(&install->also, value) : 0;
}

/* The path of a unit's file; -ENOENT. */
static int find_unit(const RootTree *t, const char *unit, char **ret) {
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                _cleanup_free_ char *path = NULL;
                struct stat st;

                if (asprintf(&path, "%s/%s", folders[i], unit) < 0)
                        return -ENOMEM;
                if (root_tree_stat(t, path, &st) < 0 || !S_ISREG(st.st_mode))
                        continue;
                *ret = TAKE_PTR(path);
                return 0;
        }
        return -ENOENT;
}

bool root_unit_exists(const RootTree *t, const char *unit) {
        _cleanup_free_ char *path = NULL;

        return find_unit(t, unit, &path) >= 0;
}

static int read_install(const RootTree *t, const char *path, Install *ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = root_tree_read(t, path, ROOT_TREE_FILE_MAX, false, &text);
        return r < 0 ? r : conf_parse(text, strlen(text), on_assignment, ret);
}

static int make_link(const RootTree *t, const char *target, const char *folder, const char *suffix,
                     const char *name, Error **err) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (asprintf(&path, UNIT_FOLDER "/%s%s%s%s", folder, suffix, *folder ? "/" : "", name) < 0)
                return -ENOMEM;
        r = root_tree_link(t, path, target);
        return r < 0 ? root_tree_error(err, r, "write", path) : 0;
}

static int make_links(const RootTree *t, const char *unit, const char *path, const Install *install,
                      Error **err) {
        int r = 0;

        for (char **w = install->wanted_by; w && *w && r >= 0; w++)
                r = make_link(t, path, *w, ".wants", unit, err);
        for (char **w = install->required_by; w && *w && r >= 0; w++)
                r = make_link(t, path, *w, ".requires", unit, err);
        for (char **a = install->aliases; a && *a && r >= 0; a++)
                r = make_link(t, path, "", "", *a, err);
        return r;
}

/* The unit and what belongs to it, in the order of *units, which grows. */
static int install_of(const RootTree *t, const char *unit, char ***units, char **ret_path,
                      Install *ret, Error **err) {
        int r;

        r = find_unit(t, unit, ret_path);
        if (r < 0)
                return r;
        r = read_install(t, *ret_path, ret);
        if (r < 0)
                return root_tree_error(err, r, "read", *ret_path);
        for (char **a = ret->also; a && *a && r >= 0; a++)
                if (!strv_contains(*units, *a) && strv_length(*units) < UNITS_MAX)
                        r = strv_extend(units, *a);
        return r;
}

/* A mask that the tree came with. */
static int unmask(const RootTree *t, const char *unit) {
        _cleanup_free_ char *path = NULL, *target = NULL;

        if (asprintf(&path, UNIT_FOLDER "/%s", unit) < 0)
                return -ENOMEM;
        if (root_tree_read_link(t, path, &target) < 0 || !streq(target, "/dev/null"))
                return 0;
        return root_tree_remove(t, path);
}

int root_unit_enable(const RootTree *t, const char *unit, Error **err) {
        _cleanup_strv_ char **units = NULL;
        int r;

        r = unmask(t, unit);
        if (r < 0)
                return root_tree_error(err, r, "unmask a unit in", UNIT_FOLDER);
        r = strv_extend(&units, unit);
        for (size_t i = 0; r >= 0 && units[i]; i++) {
                _cleanup_(install_done) Install install = { 0 };
                _cleanup_free_ char *path = NULL;

                r = install_of(t, units[i], &units, &path, &install, err);
                r = r == -ENOENT ? 0 : r < 0 ? r : make_links(t, units[i], path, &install, err);
        }
        return r;
}

/* True for the symlinks of one of the units: by its name, or an alias of it. */
static bool is_link_of(int folder_fd, const char *name, char *const *units) {
        char target[512];
        const char *last;
        ssize_t n;

        n = readlinkat(folder_fd, name, target, sizeof(target) - 1);
        if (n < 0)
                return false;
        target[n] = '\0';
        if (streq(target, "/dev/null"))
                return false;
        last = strrchr(target, '/');
        return strv_contains(units, name) || strv_contains(units, last ? last + 1 : target);
}

static int remove_links_in(const RootTree *t, const char *path, char *const *units,
                           char ***ret_folders) {
        _cleanup_(closedirp) DIR *dir = NULL;
        const struct dirent *e;
        int fd, r = 0;

        fd = root_tree_folder(t, path, false);
        if (fd < 0)
                return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
        dir = fdopendir(fd);
        if (!dir) {
                (void) close(fd);
                return -ENOMEM;
        }
        while (r >= 0 && (e = readdir(dir))) {
                if (is_link_of(dirfd(dir), e->d_name, units)) {
                        if (unlinkat(dirfd(dir), e->d_name, 0) < 0 && errno != ENOENT)
                                return negative_errno();
                } else if (ret_folders &&
                           (endswith(e->d_name, ".wants") || endswith(e->d_name, ".requires"))) {
                        r = strv_extendf(ret_folders, "%s/%s", path, e->d_name);
                }
        }
        return r;
}

int root_unit_disable(const RootTree *t, const char *unit, Error **err) {
        _cleanup_strv_ char **units = NULL, **link_folders = NULL;
        int r;

        r = strv_extend(&units, unit);
        for (size_t i = 0; r >= 0 && units[i]; i++) {
                _cleanup_(install_done) Install install = { 0 };
                _cleanup_free_ char *path = NULL;

                r = install_of(t, units[i], &units, &path, &install, err);
                r = r == -ENOENT ? 0 : r;
        }
        if (r < 0)
                return r;
        r = remove_links_in(t, UNIT_FOLDER, units, &link_folders);
        if (r < 0)
                return root_tree_error(err, r, "change", UNIT_FOLDER);
        STRV_FOREACH(folder, link_folders) {
                r = remove_links_in(t, *folder, units, NULL);
                if (r < 0)
                        return root_tree_error(err, r, "change", *folder);
        }
        return 0;
}

int root_unit_mask(const RootTree *t, const char *unit, Error **err) {
        return make_link(t, "/dev/null", "", "", unit, err);
}

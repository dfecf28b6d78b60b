/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/definition_store.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/fileio.h"
#include "base/name.h"

#define DEFINITION_SUFFIX ".xml"
#define DEFINITION_MODE 0600 /* there may be secrets in it, as in libvirt's own */
#define NSPAWN_DIR "/etc/systemd/nspawn"
#define UNIT_DIR "/etc/systemd/system"

DEFINE_CLEANUP(DIR *, closedir)

static int path_below(const char *root, const char *path, char **ret) {
        return asprintf(ret, "%s%s", root, path) < 0 ? -ENOMEM : 0;
}

static int definition_path(const char *root, const char *name, char **ret) {
        return asprintf(ret, "%s" DEFINITION_DIR "/%s" DEFINITION_SUFFIX, root, name) < 0 ? -ENOMEM
                                                                                          : 0;
}

/* "web.xml" -> "web"; NULL if the file is none of ours. */
static char *name_from_file(const char *file) {
        size_t n = strlen(file);
        char *name;

        if (!endswith(file, DEFINITION_SUFFIX))
                return NULL;
        name = strndup(file, n - strlen(DEFINITION_SUFFIX));
        if (name && container_name_is_valid(name))
                return name;
        free(name);
        return NULL;
}

static int parse_file(int dir_fd, const char *file, const char *name, ContainerDef **ret,
                      Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_free_ char *xml = NULL, *path = NULL;
        const char *withheld;
        size_t size;
        int r;

        if (asprintf(&path, DEFINITION_DIR "/%s", file) < 0)
                return -ENOMEM;

        r = read_file_at(dir_fd, file, CONTAINER_XML_MAX, true, &xml, &size);
        if (r < 0)
                return error_set_at(err, -r, path, 0, "cannot be read: %s", strerror(-r));

        r = container_def_parse(xml, size, path, 0, &def, NULL, err);
        if (r < 0)
                return r;
        if (!streq(def->name, name))
                return error_set_at(err, EINVAL, path, 0,
                                    "the file defines container '%s', not '%s'", def->name, name);

        withheld = container_def_withheld(def);
        if (withheld)
                return error_set_at(err, EINVAL, path, 0,
                                    "the value of '%s' is withheld; define the container again, "
                                    "with the value",
                                    withheld);

        *ret = TAKE_PTR(def);
        return 0;
}

static int stored_add(StoredDefinitions *s, int dir_fd, const char *file, char *name_taken) {
        _cleanup_free_ char *name = name_taken;
        _cleanup_error_ Error *err = NULL;
        StoredDefinition *items, *item;
        int r;

        items = reallocarray(s->items, s->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        s->items = items;
        item = items + s->n_items;
        *item = (StoredDefinition){ 0 };

        r = parse_file(dir_fd, file, name, &item->def, &err);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                item->problem = err ? error_format(err) : strdup(strerror(-r));
                if (!item->problem)
                        return -ENOMEM;
        }

        item->name = TAKE_PTR(name);
        s->n_items++;
        return 0;
}

static int compare_items(const void *a, const void *b) {
        const StoredDefinition *x = a, *y = b;

        return strcmp(x->name, y->name);
}

int definition_store_load(const char *root, StoredDefinitions *ret) {
        _cleanup_stored_definitions_ StoredDefinitions s = { 0 };
        _cleanup_free_ char *path = NULL;
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        int r;

        r = path_below(root, DEFINITION_DIR, &path);
        if (r < 0)
                return r;
        dir = opendir(path);
        if (!dir && errno != ENOENT)
                return negative_errno();
        s.no_folder = !dir;

        while (dir && (errno = 0, entry = readdir(dir))) {
                char *name = name_from_file(entry->d_name);

                if (!name)
                        continue;
                r = stored_add(&s, dirfd(dir), entry->d_name, name);
                if (r < 0)
                        return r;
        }
        if (dir && errno != 0)
                return negative_errno();
        if (s.n_items > 0)
                qsort(s.items, s.n_items, sizeof(*s.items), compare_items);

        *ret = s;
        s = (StoredDefinitions){ 0 };
        return 0;
}

void stored_definitions_done(StoredDefinitions *s) {
        for (size_t i = 0; i < s->n_items; i++) {
                free(s->items[i].name);
                free(s->items[i].problem);
                container_def_free(s->items[i].def);
        }
        free(s->items);
        *s = (StoredDefinitions){ 0 };
}

int definition_store_save(const char *root, const ContainerDef *def) {
        _cleanup_free_ char *folder = NULL, *path = NULL, *xml = NULL;
        int r;

        r = path_below(root, DEFINITION_DIR, &folder);
        if (r >= 0)
                r = definition_path(root, def->name, &path);
        if (r >= 0)
                r = container_def_format(def, &xml);
        if (r >= 0)
                r = make_directories(folder, 0755);
        if (r < 0)
                return r;

        return write_file_at(AT_FDCWD, path, xml, strlen(xml), DEFINITION_MODE,
                             WRITE_SYNC | WRITE_IF_CHANGED);
}

int definition_store_remove(const char *root, const char *name) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = definition_path(root, name, &path);
        if (r < 0)
                return r;
        r = remove_file_at(AT_FDCWD, path);
        if (r <= 0)
                return r;

        r = sync_directory_of(AT_FDCWD, path);
        return r < 0 ? r : 1;
}

int definition_store_keep(const char *root, const char *name, char **ret, size_t *ret_size) {
        _cleanup_free_ char *path = NULL;
        int r;

        *ret = NULL;
        *ret_size = 0;
        r = definition_path(root, name, &path);
        if (r < 0)
                return r;
        r = read_file_at(AT_FDCWD, path, CONTAINER_XML_MAX, true, ret, ret_size);
        return r == -ENOENT ? 0 : r;
}

int definition_store_restore(const char *root, const char *name, const char *xml, size_t size) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (!xml)
                return definition_store_remove(root, name);
        r = definition_path(root, name, &path);
        if (r < 0)
                return r;
        return write_file_at(AT_FDCWD, path, xml, size, DEFINITION_MODE, WRITE_SYNC);
}

/* Of a file that somebody has put there, or that an earlier version made. */
int definition_store_protect(const char *root) {
        _cleanup_(closedirp) DIR *dir = NULL;
        _cleanup_free_ char *path = NULL;
        struct dirent *entry;
        int r;

        r = path_below(root, DEFINITION_DIR, &path);
        if (r < 0)
                return r;
        dir = opendir(path);
        if (!dir)
                return errno == ENOENT ? 0 : negative_errno();
        while ((entry = readdir(dir))) {
                struct stat st;

                if (!endswith(entry->d_name, DEFINITION_SUFFIX) ||
                    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
                    !S_ISREG(st.st_mode) || (st.st_mode & 077) == 0)
                        continue;
                if (fchmodat(dirfd(dir), entry->d_name, DEFINITION_MODE, 0) < 0)
                        r = negative_errno();
        }
        return r;
}

/*
 * What interrupted writes have left
 */

static int clean_folder(const char *path, const char *suffix) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        int r = 0;

        dir = opendir(path);
        if (!dir)
                return errno == ENOENT ? 0 : negative_errno();

        while ((entry = readdir(dir))) {
                struct stat st;

                if (!is_own_temporary_name(entry->d_name, suffix) ||
                    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
                    !S_ISREG(st.st_mode))
                        continue;
                if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
                        r = negative_errno();
        }
        return r;
}

static int clean_drop_ins(const char *unit_dir) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        int r = 0, k;

        dir = opendir(unit_dir);
        if (!dir)
                return errno == ENOENT ? 0 : negative_errno();

        while ((entry = readdir(dir))) {
                _cleanup_free_ char *path = NULL;

                if (!startswith(entry->d_name, "systemd-nspawn@") ||
                    !endswith(entry->d_name, ".service.d"))
                        continue;
                if (asprintf(&path, "%s/%s", unit_dir, entry->d_name) < 0)
                        return -ENOMEM;
                k = clean_folder(path, ".conf");
                if (k < 0)
                        r = k;
        }
        return r;
}

int definition_store_clean(const char *root) {
        _cleanup_free_ char *definitions = NULL, *nspawn = NULL, *units = NULL;
        int r, k;

        r = path_below(root, DEFINITION_DIR, &definitions);
        if (r >= 0)
                r = path_below(root, NSPAWN_DIR, &nspawn);
        if (r >= 0)
                r = path_below(root, UNIT_DIR, &units);
        if (r < 0)
                return r;

        r = clean_folder(definitions, DEFINITION_SUFFIX);
        k = clean_folder(nspawn, ".nspawn");
        r = k < 0 ? k : r;
        k = clean_drop_ins(units);
        return k < 0 ? k : r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/enabled_containers.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "units/dir_list.h"
#include "units/text.h"
#include "units/unit_bridges.h"
#include "units/unit_name.h"

DEFINE_CLEANUP(DIR *, closedir)

/* One symlink FOLDER/WANTS/UNIT. Of those with the same WANTS/UNIT the first folder's counts. */
typedef struct EnableLink {
        char *key; /* "machines.target.wants/systemd-nspawn@web.service" */
        size_t rank;
        bool masked; /* points to /dev/null */
} EnableLink;

typedef struct EnableLinks {
        EnableLink *items;
        size_t n, allocated;
} EnableLinks;

static void enable_links_done(EnableLinks *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].key);
        free(l->items);
}

static int enable_links_add(EnableLinks *l, const char *wants, const char *unit, size_t rank,
                            bool masked) {
        if (l->n == l->allocated) {
                size_t wanted = l->allocated == 0 ? 64 : l->allocated * 2;
                EnableLink *grown = reallocarray(l->items, wanted, sizeof(EnableLink));

                if (!grown)
                        return -ENOMEM;
                l->items = grown;
                l->allocated = wanted;
        }
        l->items[l->n].key = text_join(wants, "/", unit, NULL);
        if (!l->items[l->n].key)
                return -ENOMEM;
        l->items[l->n].rank = rank;
        l->items[l->n++].masked = masked;
        return 0;
}

static int collect_wants(EnableLinks *l, const char *folder, const char *wants, size_t rank) {
        _cleanup_free_ char *path = NULL;
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *de;

        path = text_format("%s/%s", folder, wants);
        if (!path)
                return -ENOMEM;
        d = opendir(path);
        if (!d)
                return errno == ENOENT || errno == ENOTDIR ? 0 : negative_errno();

        while ((errno = 0, de = readdir(d))) {
                char target[PATH_MAX];
                ssize_t n;

                if (!startswith(de->d_name, "systemd-nspawn@"))
                        continue;
                n = readlinkat(dirfd(d), de->d_name, target, sizeof(target) - 1);
                if (n < 0)
                        continue; /* systemd takes nothing but symlinks */
                target[n] = '\0';
                if (enable_links_add(l, wants, de->d_name, rank, streq(target, "/dev/null")) < 0)
                        return -ENOMEM;
        }
        return -errno;
}

static int collect_folder(EnableLinks *l, const char *root, size_t rank) {
        static const char *const suffixes[] = { ".wants", ".requires" };
        _cleanup_free_ char *folder = NULL;
        int r = 0;

        folder = text_format("%s%s", root, unit_folders[rank]);
        if (!folder)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(suffixes) && r >= 0; i++) {
                _cleanup_strv_ char **names = NULL;

                r = dir_list(folder, "", suffixes[i], &names);
                for (char **n = names; r >= 0 && n && *n; n++)
                        r = collect_wants(l, folder, *n, rank);
        }
        return r;
}

static int compare_links(const void *a, const void *b) {
        const EnableLink *x = a, *y = b;
        int c = strcmp(x->key, y->key);

        return c != 0 ? c : (x->rank > y->rank) - (x->rank < y->rank);
}

/* By unit name; the same unit may be wanted by several targets. */
static int compare_units(const void *a, const void *b) {
        return strcmp(strchr(((const EnableLink *) a)->key, '/'),
                      strchr(((const EnableLink *) b)->key, '/'));
}

/* Drops links that a folder of higher priority hides, and masks. */
static void settle(EnableLinks *l) {
        size_t n = 0;

        if (l->n == 0)
                return;
        qsort(l->items, l->n, sizeof(EnableLink), compare_links);
        for (size_t i = 0, first = 0; i < l->n; i++) {
                bool hidden = i > 0 && streq(l->items[i].key, l->items[first].key);

                first = hidden ? first : i;
                l->items[i].masked = l->items[i].masked || hidden;
        }
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].masked)
                        free(l->items[i].key);
                else
                        l->items[n++] = l->items[i];
        l->n = n;
        qsort(l->items, l->n, sizeof(EnableLink), compare_units);
}

static int add_container(const UnitFiles *f, const char *unit, char **names, size_t *n) {
        _cleanup_free_ char *container = NULL, *fragment = NULL;
        int r;

        r = container_from_unit(unit, &container);
        if (r == -EINVAL || (r >= 0 && *n > 0 && streq(names[*n - 1], container)))
                return 0;
        if (r >= 0)
                r = unit_files_fragment(f, container, &fragment);
        if (r == -ENOMEM)
                return r;
        if (r != -ERFKILL)
                names[(*n)++] = TAKE_PTR(container);
        return 0;
}

static int list_containers(const UnitFiles *f, const EnableLinks *l, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        size_t n = 0;

        names = calloc(l->n + 1, sizeof(char *));
        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < l->n; i++) {
                int r = add_container(f, strchr(l->items[i].key, '/') + 1, names, &n);

                if (r < 0)
                        return r;
        }
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

int enabled_containers_list(const UnitFiles *f, char ***ret) {
        _cleanup_(enable_links_done) EnableLinks l = { 0 };

        for (size_t i = 0; i < N_UNIT_FOLDERS; i++) {
                int r = collect_folder(&l, unit_files_root(f), i);

                if (r < 0)
                        return r;
        }
        settle(&l);
        return list_containers(f, &l, ret);
}

int enabled_containers_load(const char *root, char ***ret) {
        _cleanup_(unit_files_freep) UnitFiles *f = NULL;
        int r;

        r = unit_files_load(root, &f);
        return r < 0 ? r : enabled_containers_list(f, ret);
}

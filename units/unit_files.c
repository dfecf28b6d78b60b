/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_files.h"

#include <sys/stat.h>

#include "units/conf_file.h"
#include "units/dir_list.h"
#include "units/text.h"
#include "units/unit_name.h"

#define UNIT_FILE_MAX (1024 * 1024)
#define ASSIGNMENTS_MAX 1024

const char *const unit_folders[N_UNIT_FOLDERS] = {
        "/etc/systemd/system",
        "/run/systemd/system",
        "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system",
};

/* One file: the values of its ExecStart= assignments in order. */
typedef struct UnitConf {
        char *name;    /* file name of a drop-in; "" for the unit file, which comes first */
        char *path;    /* without root */
        unsigned rank; /* of files with the same name the lowest counts */
        char **exec;
} UnitConf;

typedef struct UnitConfs {
        UnitConf *items;
        size_t n;
} UnitConfs;

struct UnitFiles {
        char *root;
        char **names[N_UNIT_FOLDERS]; /* entries that belong to systemd-nspawn@ */
        size_t n_names[N_UNIT_FOLDERS];
        UnitConfs template;
        UnitExec template_exec; /* of a unit that has no file of its own, unless it is specific */
        Error *template_error;
        char *template_fragment; /* NULL: template_result says why */
        int template_result;
};

static void unit_confs_done(UnitConfs *c) {
        for (size_t i = 0; i < c->n; i++) {
                free(c->items[i].name);
                free(c->items[i].path);
                strv_free(c->items[i].exec);
        }
        free(c->items);
        *c = (UnitConfs){ 0 };
}

/* Takes exec over, also on failure. */
static int unit_confs_add(UnitConfs *c, const char *name, const char *path, unsigned rank,
                          char **exec) {
        UnitConf *grown = reallocarray(c->items, c->n + 1, sizeof(UnitConf));
        _cleanup_free_ char *name_copy = strdup(name), *path_copy = strdup(path);

        if (grown)
                c->items = grown;
        if (!grown || !name_copy || !path_copy) {
                strv_free(exec);
                return -ENOMEM;
        }
        grown[c->n++] = (UnitConf){ TAKE_PTR(name_copy), TAKE_PTR(path_copy), rank, exec };
        return 0;
}

static int on_assignment(const char *section, const char *key, const char *value, void *userdata) {
        char ***exec = userdata;

        if (!streq(section, "Service") || !streq(key, "ExecStart") ||
            strv_length(*exec) >= ASSIGNMENTS_MAX)
                return 0;
        return strv_extend(exec, value);
}

static int read_conf(const UnitFiles *f, const char *folder, const char *entry, const char *name,
                     unsigned rank, UnitConfs *c, Error **err) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        _cleanup_strv_ char **exec = NULL;
        size_t size = 0;
        int r;

        path = text_format("%s%s/%s%s%s", f->root, folder, entry, *name ? "/" : "", name);
        if (!path)
                return -ENOMEM;
        r = conf_read(path, UNIT_FILE_MAX, &text, &size);
        if (r >= 0)
                r = conf_parse(text, size, on_assignment, &exec);
        else if (r == -ENOENT)
                r = 0; /* a symlink to nowhere */
        if (r < 0)
                return error_set(err, -r, "Cannot read '%s': %s", path, strerror(-r));
        return unit_confs_add(c, name, path + strlen(f->root), rank, TAKE_PTR(exec));
}

static int read_dropins(const UnitFiles *f, const char *unit, unsigned bias, UnitConfs *c,
                        Error **err) {
        _cleanup_free_ char *entry = NULL;

        entry = text_join(unit, ".d", NULL);
        if (!entry)
                return -ENOMEM;
        for (size_t i = 0; i < N_UNIT_FOLDERS; i++) {
                _cleanup_strv_ char **names = NULL;
                _cleanup_free_ char *path = NULL;
                int r = 0;

                if (!dir_list_contains(f->names[i], f->n_names[i], entry))
                        continue;
                path = text_format("%s%s/%s", f->root, unit_folders[i], entry);
                if (!path)
                        return -ENOMEM;
                r = dir_list(path, "", ".conf", &names);
                if (r < 0)
                        return error_set(err, -r, "Cannot read '%s': %s", path, strerror(-r));
                for (char **n = names; r >= 0 && n && *n; n++)
                        r = read_conf(f, unit_folders[i], entry, *n, (unsigned) i * 2 + bias, c,
                                      err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The folder with the highest priority that has this entry; -ENOENT. */
static int find_entry(const UnitFiles *f, const char *entry) {
        for (size_t i = 0; i < N_UNIT_FOLDERS; i++)
                if (dir_list_contains(f->names[i], f->n_names[i], entry))
                        return (int) i;
        return -ENOENT;
}

static int read_fragment(const UnitFiles *f, const char *unit, UnitConfs *c, Error **err) {
        int i = find_entry(f, unit);

        return i < 0 ? i : read_conf(f, unit_folders[i], unit, "", 0, c, err);
}

static int list_folders(UnitFiles *f) {
        for (size_t i = 0; i < N_UNIT_FOLDERS; i++) {
                _cleanup_free_ char *path = NULL;
                int r;

                path = text_format("%s%s", f->root, unit_folders[i]);
                if (!path)
                        return -ENOMEM;
                r = dir_list(path, "systemd-nspawn@", "", &f->names[i]);
                if (r < 0)
                        return r;
                f->n_names[i] = strv_length(f->names[i]);
        }
        return 0;
}

/* As systemd sees it: an empty file, or a device such as /dev/null. */
static bool is_mask(const char *path) {
        struct stat st;

        return stat(path, &st) >= 0 &&
               (S_ISCHR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size == 0));
}

static int fragment_of(const UnitFiles *f, const char *unit, char **ret) {
        _cleanup_free_ char *path = NULL;
        int i = find_entry(f, unit);

        if (i < 0)
                return i;
        path = text_format("%s%s/%s", f->root, unit_folders[i], unit);
        if (!path)
                return -ENOMEM;
        if (is_mask(path))
                return -ERFKILL;

        memmove(path, path + strlen(f->root), strlen(path) - strlen(f->root) + 1);
        *ret = TAKE_PTR(path);
        return 0;
}

static int compare_confs(const void *a, const void *b) {
        const UnitConf *x = *(const UnitConf *const *) a, *y = *(const UnitConf *const *) b;
        int c = strcmp(x->name, y->name);

        return c != 0 ? c : (x->rank > y->rank) - (x->rank < y->rank);
}

static int add_assignments(const UnitConf *conf, const char *container, UnitExec *e,
                           char **source) {
        for (char **s = conf->exec; s && *s; s++) {
                int r = unit_exec_add(e, *s, container);

                if (r < 0 && r != -EINVAL)
                        return r;
                if (r < 0)
                        continue;
                free(*source);
                *source = **s ? strdup(conf->path) : NULL;
                if (**s && !*source)
                        return -ENOMEM;
        }
        return 0;
}

/* Files of the same name: the first counts. */
static int add_up(const UnitConfs *own, const UnitConfs *template, bool own_fragment,
                  const char *container, UnitExec *e, char **source) {
        _cleanup_free_ const UnitConf **all = NULL;
        size_t n = 0;
        int r = 0;

        all = calloc(own->n + template->n + 1, sizeof(*all));
        if (!all)
                return -ENOMEM;
        for (size_t i = 0; i < own->n; i++)
                all[n++] = &own->items[i];
        for (size_t i = 0; i < template->n; i++)
                if (*template->items[i].name || !own_fragment)
                        all[n++] = &template->items[i];
        qsort(all, n, sizeof(*all), compare_confs);

        for (size_t i = 0; i < n && r >= 0; i++)
                if (i == 0 || !streq(all[i]->name, all[i - 1]->name))
                        r = add_assignments(all[i], container, e, source);
        return r;
}

/* Without a unit file: systemd's own. */
static int exec_of(const UnitFiles *f, const UnitConfs *own, bool own_fragment,
                   const char *container, UnitExec *e, char **source) {
        if (!own_fragment && find_entry(f, CONTAINER_UNIT_TEMPLATE) < 0)
                e->settings = SETTINGS_OVERRIDE;
        return add_up(own, &f->template, own_fragment, container, e, source);
}

static int load_template_exec(UnitFiles *f) {
        _cleanup_free_ char *source = NULL;

        return exec_of(f, &(const UnitConfs){ 0 }, false, "", &f->template_exec, &source);
}

/* -ENOENT, a mask and an unreadable file are told when a container asks. */
static int load_template(UnitFiles *f) {
        int r;

        f->template_result = fragment_of(f, CONTAINER_UNIT_TEMPLATE, &f->template_fragment);
        r = read_fragment(f, CONTAINER_UNIT_TEMPLATE, &f->template, &f->template_error);
        if (r >= 0 || r == -ENOENT)
                r = read_dropins(f, CONTAINER_UNIT_TEMPLATE, 1, &f->template, &f->template_error);
        if (r >= 0)
                r = load_template_exec(f);
        return r == -ENOMEM ? r : 0;
}

int unit_files_load(const char *root, UnitFiles **ret) {
        _cleanup_(unit_files_freep) UnitFiles *f = NULL;
        int r;

        f = calloc(1, sizeof(UnitFiles));
        if (!f)
                return -ENOMEM;
        f->root = strdup(root);
        if (!f->root)
                return -ENOMEM;

        r = list_folders(f);
        if (r >= 0)
                r = load_template(f);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(f);
        return 0;
}

const char *unit_files_root(const UnitFiles *f) {
        return f->root;
}

int unit_files_fragment(const UnitFiles *f, const char *container, char **ret) {
        _cleanup_free_ char *unit = container_unit_name(container);
        int r;

        if (!unit)
                return -ENOMEM;
        r = fragment_of(f, unit, ret);
        if (r != -ENOENT)
                return r;
        if (!f->template_fragment)
                return f->template_result;
        *ret = strdup(f->template_fragment);
        return *ret ? 0 : -ENOMEM;
}

static int collect_own(const UnitFiles *f, const char *container, bool *ret_own_fragment,
                       UnitConfs *own, Error **err) {
        _cleanup_free_ char *unit = container_unit_name(container);
        int r;

        if (!unit)
                return -ENOMEM;
        r = read_fragment(f, unit, own, err);
        if (r < 0 && r != -ENOENT)
                return r;
        *ret_own_fragment = r >= 0;
        return read_dropins(f, unit, 0, own, err);
}

int unit_files_exec_source(const UnitFiles *f, const char *container, UnitExec *ret,
                           char **ret_source, Error **err) {
        _cleanup_(unit_confs_done) UnitConfs own = { 0 };
        _cleanup_unit_exec_ UnitExec e = { 0 };
        _cleanup_free_ char *source = NULL;
        bool own_fragment = false;
        int r;

        if (f->template_error)
                return error_set(err, f->template_error->code, "%s", f->template_error->text);

        r = collect_own(f, container, &own_fragment, &own, err);
        if (r < 0)
                return r;
        r = exec_of(f, &own, own_fragment, container, &e, &source);
        if (r < 0)
                return r;

        *ret_source = TAKE_PTR(source);
        *ret = e;
        e = (UnitExec){ 0 };
        return 0;
}

static int has_own_files(const UnitFiles *f, const char *container) {
        _cleanup_free_ char *unit = container_unit_name(container), *folder = NULL;

        folder = unit ? text_join(unit, ".d", NULL) : NULL;
        if (!folder)
                return -ENOMEM;
        return find_entry(f, unit) >= 0 || find_entry(f, folder) >= 0;
}

static int copy_exec(const UnitExec *e, UnitExec *ret) {
        char *bridge = NULL;

        if (e->bridge) {
                bridge = strdup(e->bridge);
                if (!bridge)
                        return -ENOMEM;
        }
        *ret = *e;
        ret->bridge = bridge;
        return 0;
}

/* Most containers are as the template says, which is looked at once for all of them. */
int unit_files_exec(const UnitFiles *f, const char *container, UnitExec *ret, Error **err) {
        _cleanup_free_ char *source = NULL;
        int r;

        if (!f->template_error && !f->template_exec.specific) {
                r = has_own_files(f, container);
                if (r < 0)
                        return r;
                if (r == 0)
                        return copy_exec(&f->template_exec, ret);
        }
        return unit_files_exec_source(f, container, ret, &source, err);
}

UnitFiles *unit_files_free(UnitFiles *f) {
        if (!f)
                return NULL;

        free(f->root);
        for (size_t i = 0; i < N_UNIT_FOLDERS; i++)
                strv_free(f->names[i]);
        unit_confs_done(&f->template);
        unit_exec_done(&f->template_exec);
        error_free(f->template_error);
        free(f->template_fragment);
        free(f);
        return NULL;
}

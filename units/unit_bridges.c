/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_bridges.h"

#include "units/nspawn_file.h"
#include "units/unit_name.h"

static const char *reason(int r) {
        if (r == -EINVAL)
                return "it is no text file";
        return r == -EBADMSG ? "a section header is broken" : strerror(-r);
}

/* The file that nspawn would read; *ret stays NULL if there is none. */
static int load_file(const char *root, const char *container, const UnitExec *exec,
                     NspawnFile **ret, Error **err) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (exec->settings == SETTINGS_NO)
                return 0;
        if (exec->settings == SETTINGS_TRUSTED)
                r = nspawn_file_load_trusting(root, container, ret);
        else
                r = nspawn_file_load(root, container, ret);
        if (r == -ENOENT || r >= 0)
                return 0;

        path = nspawn_file_path(root, container);
        return error_set(err, -r, "cannot read '%s': %s", path ? path : container, reason(r));
}

static int take_from_file(const NspawnFile *file, UnitBridges *b) {
        int r;

        if (!file->generated)
                return file->bridge ? strv_extend(&b->bridges, file->bridge) : 0;

        r = strv_copy(file->bridges, &b->bridges);
        return r < 0 ? r : strv_copy(file->networks, &b->networks);
}

int unit_bridges_find(const UnitFiles *files, const char *container, UnitBridges *ret,
                      Error **err) {
        _cleanup_(nspawn_file_freep) NspawnFile *file = NULL;
        _cleanup_unit_exec_ UnitExec exec = { 0 };
        _cleanup_unit_bridges_ UnitBridges b = { 0 };
        int r;

        r = unit_files_exec(files, container, &exec, err);
        if (r >= 0)
                r = load_file(unit_files_root(files), container, &exec, &file, err);
        if (r < 0)
                return r;

        b.generated = file && file->generated;
        if (file && file->has_network && (exec.settings == SETTINGS_OVERRIDE || !exec.has_network))
                r = take_from_file(file, &b);
        else if (exec.bridge)
                r = strv_extend(&b.bridges, exec.bridge);
        if (r < 0)
                return r;

        *ret = b;
        b = (UnitBridges){ 0 };
        return 0;
}

static bool is_template(const char *path) {
        return endswith(path, "/" CONTAINER_UNIT_TEMPLATE);
}

int unit_settings_files(const UnitFiles *files, const char *container, char ***ret) {
        _cleanup_(nspawn_file_freep) NspawnFile *file = NULL;
        _cleanup_unit_exec_ UnitExec exec = { 0 };
        _cleanup_free_ char *source = NULL;
        _cleanup_strv_ char **paths = NULL;
        int r;

        r = unit_files_exec_source(files, container, &exec, &source, NULL);
        if (r >= 0)
                r = load_file(unit_files_root(files), container, &exec, &file, NULL);
        if (r < 0)
                return r;

        if (file)
                r = strv_extend(&paths, file->path + strlen(unit_files_root(files)));
        if (r >= 0 && source && (!file || !is_template(source)))
                r = strv_extend(&paths, source);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(paths);
        return 0;
}

int unit_bridges_load(const char *root, const char *container, UnitBridges *ret) {
        _cleanup_(unit_files_freep) UnitFiles *files = NULL;
        int r;

        r = unit_files_load(root, &files);
        return r < 0 ? r : unit_bridges_find(files, container, ret, NULL);
}

void unit_bridges_done(UnitBridges *b) {
        strv_free(b->bridges);
        strv_free(b->networks);
        *b = (UnitBridges){ 0 };
}

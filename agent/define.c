/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/define.h"

#include "agent/bridge_resolve.h"
#include "agent/bus_errors.h"
#include "agent/container_refresh.h"
#include "agent/container_watch.h"
#include "agent/define_warn.h"
#include "agent/definition_complete.h"
#include "agent/definition_store.h"
#include "base/fileio.h"
#include "base/label.h"
#include "base/log.h"
#include "units/generated.h"
#include "units/kept_files.h"

/*
 * Before the commit point
 */

/* A sentence for each line of a broken document would be the parser's; its first cause is ours. */
static int parse(const char *xml, size_t size, const char *file_name, ParseFlags flags,
                 ContainerDef **ret, char ***warnings, Error **err) {
        int r;

        r = container_def_parse(xml, size, file_name, flags, ret, warnings, err);
        return r >= 0 || r == -ENOMEM ? r : -ERRNO_XML;
}

/* What ctvirt makes is a regular file of bounded size. The others mean that the host has a problem,
 * and say nothing about the file. */
static bool is_no_file_of_ours(int r) {
        return r == -ELOOP || r == -EFBIG || r == -EINVAL || r == -EISDIR || r == -ENXIO;
}

/* Takes shown over. */
static int refuse_foreign_file(const char *root, char *shown, Error **err) {
        _cleanup_free_ _unused_ char *shown_owned = shown;
        _cleanup_free_ char *path = NULL, *text = NULL;
        int r;

        if (asprintf(&path, "%s%s", root, shown) < 0)
                return -ENOMEM;

        r = read_file_at(AT_FDCWD, path, NSPAWN_FILE_MAX, false, &text, NULL);
        if (r == -ENOENT || (r >= 0 && startswith(text, GENERATED_MARK)))
                return 0;
        if (r < 0 && !is_no_file_of_ours(r))
                return error_set(err, -r, "cannot read %s: %s", shown, strerror(-r));
        return error_set(err, ERRNO_CONFLICT,
                         "%s exists and was not made by ctvirt; move it away first", shown);
}

static int refuse_foreign_files(const char *root, const char *name, Error **err) {
        char *shown;
        int r;

        if (asprintf(&shown, "/etc/systemd/nspawn/%s.nspawn", name) < 0)
                return -ENOMEM;
        r = refuse_foreign_file(root, shown, err);
        if (r < 0)
                return r;

        if (asprintf(&shown, "/etc/systemd/system/systemd-nspawn@%s.service.d/50-ctvirt.conf",
                     name) < 0)
                return -ENOMEM;
        return refuse_foreign_file(root, shown, err);
}

/*
 * Commit, and taking back
 */

/* Without its label, systemd or nspawn may not read the file where SELinux enforces. */
static void on_written(const char *path, void *userdata) {
        int r = label_restore(path);

        if (r < 0)
                log_warning_errno(r, "Failed to set the SELinux label of %s", path);
}

int define_generate(Manager *m, const ContainerDef *def, char **bridges, Error **err) {
        const GeneratedInput in = {
                .def = def,
                .bridges = bridges,
                .systemd_version = m->systemd_version,
                .machine_id = &m->machine_id,
                .on_written = on_written,
        };

        return generated_write(m->root, &in, err);
}

/* Nothing is left to do about a failure here; the agent's next start makes the files fit the XML.
 */
static void take_back(Manager *m, const Container *old, const char *name, const char *xml,
                      size_t size) {
        _cleanup_error_ Error *err = NULL;
        int r;

        r = definition_store_restore(m->root, name, xml, size);
        if (r >= 0 && old && old->def)
                r = define_generate(m, old->def, old->resolved, &err);
        else if (r >= 0 && !xml)
                r = generated_remove(m->root, name, NULL, &err);
        if (r < 0)
                log_error_errno(r, "Container '%s': a failed definition was not taken back", name);
}

/* GeneratedChange mask. */
static int commit(Manager *m, const Container *old, const ContainerDef *def, char **bridges,
                  Error **err) {
        _cleanup_free_ char *xml = NULL;
        size_t size;
        int r, k;

        r = definition_store_keep(m->root, def->name, &xml, &size);
        if (r >= 0)
                r = definition_store_save(m->root, def);
        if (r < 0)
                return error_set(err, -r, "cannot write " DEFINITION_DIR "/%s.xml: %s", def->name,
                                 strerror(-r));

        k = define_generate(m, def, bridges, err);
        if (k < 0)
                take_back(m, old, def->name, xml, size);
        return k;
}

/*
 * After it
 */

static int take_over(Manager *m, ContainerDef **def, char ***bridges, Container **ret) {
        Container *c;
        int r;

        r = container_table_ensure(&m->containers, m, (*def)->name, &c);
        if (r < 0)
                return r;

        container_set_def(c, TAKE_PTR(*def));
        c->resolved = TAKE_PTR(*bridges);
        c->unresolved = bridges_unresolved(c->resolved);
        *ret = c;
        return 0;
}

static int resolve(Manager *m, const ContainerDef *def, char ***ret_bridges, char ***warnings,
                   Error **err) {
        _cleanup_network_view_ NetworkView view = { 0 };
        _cleanup_strv_ char **bridges = NULL;
        int r;

        r = network_view_load(m, &view);
        if (r >= 0)
                r = bridges_resolve(&view, def, NULL, &bridges, err);
        if (r >= 0)
                r = bridges_warn(def, bridges, warnings);
        if (r >= 0)
                *ret_bridges = TAKE_PTR(bridges);
        return r;
}

static void publish(DefineResult *result, DefineResult *ret) {
        *ret = *result;
        *result = (DefineResult){ 0 };
}

int define_container(Manager *m, const char *xml, size_t size, const char *file_name,
                     DefineFlags flags, DefineResult *ret, Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_define_result_ DefineResult result = { 0 };
        _cleanup_strv_ char **bridges = NULL;
        Container *c;
        int change, r;

        r = parse(xml, size, file_name, flags & DEFINE_VALIDATE ? PARSE_VALIDATE : 0, &def,
                  &result.warnings, err);
        if (r < 0)
                return r;
        result.name = strdup(def->name);
        if (!result.name)
                return -ENOMEM;

        c = container_table_by_name(&m->containers, def->name);
        result.redefined = c && container_is_defined(c);
        r = definition_complete(m, c, def, file_name, &result.warnings, err);
        if (r >= 0)
                r = resolve(m, def, &bridges, &result.warnings, err);
        if (r >= 0)
                r = define_warn_running(c, def, &result.warnings);
        if (r >= 0)
                r = define_warn_network(c, def, &result.warnings);
        if (r >= 0)
                r = define_warn_unused(def, &result.warnings);
        if (r >= 0 && isempty(m->root))
                r = define_warn_missing(def, !(flags & DEFINE_BOOTSTRAP), &result.warnings);
        if (r >= 0 && !result.redefined)
                r = define_warn_snapshots(m->root, def, &result.warnings);
        if (r >= 0)
                r = refuse_foreign_files(m->root, def->name, err);
        if (r < 0)
                return r;

        change = commit(m, c, def, bridges, err);
        if (change < 0)
                return change;
        r = take_over(m, &def, &bridges, &c);
        if (r < 0)
                return r;

        r = container_refresh(m, c);
        /* A reload takes longer than all the rest, and most new containers need none. */
        result.reload = (change & GENERATED_DROPIN_CHANGED) || r > 0;
        publish(&result, ret);
        return 0;
}

void define_result_done(DefineResult *r) {
        free(r->name);
        strv_free(r->warnings);
        *r = (DefineResult){ 0 };
}

/*
 * Undefine
 */

int undefine_commit(Manager *m, Container *c, Error **err) {
        int r;

        r = definition_store_remove(m->root, c->name);
        if (r < 0)
                return error_set(err, -r, "cannot remove " DEFINITION_DIR "/%s.xml: %s", c->name,
                                 strerror(-r));
        container_set_def(c, NULL);
        return 0;
}

/* Of a container that runs: a reload would lift its limits, and nobody would know its bridges. */
static void keep_files(Manager *m, const char *name) {
        int r = kept_files_add(m->root, name);

        if (r < 0)
                log_warning_errno(r, "Container '%s' runs on without its limits and networks",
                                  name);
}

/* At the start of the agent, which finishes what it was killed in, systemd has not been asked yet. */
static bool may_run(const Manager *m, const Container *c) {
        return c && c->seen ? c->active : !m->units_listed;
}

int undefine_finish(Manager *m, const char *name, const char *root, Error **err) {
        Container *c = container_table_by_name(&m->containers, name);
        int change, r;

        if (c && container_is_defined(c))
                return 0;
        if (may_run(m, c))
                keep_files(m, name);
        change = generated_remove(m->root, name, root, err);
        if (change < 0)
                return change;
        if (!c)
                return 1;

        /* systemd would list it among the failed units for good. */
        if (m->units && streq_ptr(c->active_state, "failed"))
                (void) unit_client_reset_failed(m->units, c->unit);

        r = container_refresh(m, c);
        if (r < 0)
                log_warning_errno(r, "Container '%s': cannot read its files", name);
        if (!container_is_kept(c))
                container_table_drop(&m->containers, c);
        return 1;
}

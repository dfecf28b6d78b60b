/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/reconcile.h"

#include "agent/bridge_resolve.h"
#include "agent/define.h"
#include "agent/definition_complete.h"
#include "agent/definition_store.h"
#include "base/log.h"
#include "base/name.h"
#include "units/generated.h"
#include "units/text.h"
#include "units/unit_bridges.h"
#include "units/unit_name.h"

static void log_problem(const char *name, int r, const Error *err) {
        _cleanup_free_ char *text = err ? error_format(err) : NULL;

        log_error("Container '%s': %s", name, text ? text : strerror(-r));
}

static bool is_complete(const ContainerDef *def) {
        for (size_t i = 0; i < def->n_interfaces; i++)
                if (!def->interfaces[i].has_mac)
                        return false;
        return def->has_uuid && def->idmap.present;
}

/* A file that a person put there need not have all that define would have added. *ret_problem is a
 * sentence when it cannot be used. */
static int complete(Manager *m, const Container *c, ContainerDef *def, char **ret_problem) {
        _cleanup_strv_ char **warnings = NULL;
        _cleanup_error_ Error *err = NULL;
        int r;

        if (is_complete(def))
                return 0;

        r = definition_complete(m, c, def, DEFINITION_DIR, &warnings, &err);
        if (r >= 0)
                r = definition_store_save(m->root, def);
        if (r < 0)
                *ret_problem = err ? error_format(err) : strdup(strerror(-r));
        return r;
}

static bool is_there(const char *path) {
        return !path || access(path, F_OK) >= 0;
}

/* Not each definition needs a drop-in: one is lost that was there at the last look. */
static bool look_for_lost_files(const Manager *m, Container *c) {
        _cleanup_free_ char *nspawn = NULL, *dropin = NULL;
        bool had_dropin = c->has_dropin;

        nspawn = text_format("%s/etc/systemd/nspawn/%s.nspawn", m->root, c->name);
        dropin = text_format("%s/etc/systemd/system/%s.d/" GENERATED_DROPIN, m->root, c->unit);
        c->has_dropin = is_there(dropin);
        return !is_there(nspawn) || (had_dropin && !c->has_dropin);
}

static int generate(Manager *m, Container *c, const NetworkView *view) {
        _cleanup_strv_ char **bridges = NULL;
        _cleanup_error_ Error *err = NULL;
        int r;

        r = bridges_resolve(view, c->def, c->resolved, &bridges, &err);
        if (r >= 0) {
                strv_free(c->resolved);
                c->resolved = TAKE_PTR(bridges);
                c->unresolved = bridges_unresolved(c->resolved);
                r = define_generate(m, c->def, c->resolved, &err);
        }
        if (r < 0)
                log_problem(c->name, r, err);
        (void) look_for_lost_files(m, c);
        return r;
}

int reconcile_lost_files(Manager *m) {
        int change = 0;

        for (size_t i = 0; i < m->containers.n_items; i++) {
                Container *c = m->containers.items[i];
                _cleanup_error_ Error *err = NULL;
                int r;

                if (!c->def || !look_for_lost_files(m, c))
                        continue;
                r = define_generate(m, c->def, c->resolved, &err);
                if (r < 0)
                        log_problem(c->name, r, err);
                if (r > 0)
                        log_notice("Container '%s': files that were made of its definition have "
                                   "been removed by others; made them again",
                                   c->name);
                change |= r > 0 ? r : 0;
        }
        return (change & GENERATED_UNIT_CHANGED) != 0;
}

/* Two files with one identity or one root, as when a person copies one: the first keeps it. Who was
 * there before, and has files made of its definition, is the first; see reconcile_definitions(). */
static int check_stored(Manager *m, const Container *c, const ContainerDef *def,
                        char **ret_problem) {
        _cleanup_free_ char *path = NULL;
        _cleanup_error_ Error *err = NULL;
        int r;

        if (asprintf(&path, DEFINITION_DIR "/%s.xml", c->name) < 0)
                return -ENOMEM;
        r = definition_check_stored(m, def, path, &err);
        if (r >= 0)
                return 0;

        if (err && err->file)
                *ret_problem = error_format(err);
        else if (asprintf(ret_problem, "%s: %s", path, err ? err->text : strerror(-r)) < 0)
                *ret_problem = NULL;
        return r;
}

static void warn_of_macs(const Manager *m, const Container *c) {
        _cleanup_strv_ char **warnings = NULL;

        (void) definition_warn_of_macs(m, c->def, &warnings);
        STRV_FOREACH(w, warnings)
                log_warning("Container '%s': %s", c->name, *w);
}

/* Takes problem over. */
static void set_problem(Container *c, char *problem) {
        if (!streq_ptr(c->problem, problem))
                log_error("Container '%s' keeps its files as they are: %s", c->name,
                          problem ? problem : "out of memory");
        container_set_def(c, NULL);
        c->problem = problem;
}

/* Mask of GeneratedChange; failures are logged and belong to this container alone. */
static int take_definition(Manager *m, StoredDefinition *s, const NetworkView *view) {
        Container *c;
        int r;

        r = container_table_ensure(&m->containers, m, s->name, &c);
        if (r < 0)
                return r;

        if (s->def && (!c->def || !container_def_equal(c->def, s->def))) {
                r = check_stored(m, c, s->def, &s->problem);
                if (r >= 0)
                        r = complete(m, c, s->def, &s->problem);
                if (r < 0 && !s->problem)
                        return r;
                if (r >= 0) {
                        container_set_def(c, TAKE_PTR(s->def));
                        warn_of_macs(m, c);
                }
        }
        if (s->problem) {
                set_problem(c, TAKE_PTR(s->problem));
                return 0;
        }

        r = generate(m, c, view);
        return r < 0 ? 0 : r;
}

static bool is_stored(const StoredDefinitions *s, const char *name) {
        for (size_t i = 0; i < s->n_items; i++)
                if (streq(s->items[i].name, name))
                        return true;
        return false;
}

static void finish_orphan(Manager *m, const char *name) {
        _cleanup_error_ Error *err = NULL;
        int r;

        r = undefine_finish(m, name, NULL, &err);
        if (r < 0)
                log_problem(name, r, err);
        else if (r > 0)
                manager_request_reload(m);
}

/* While there is something to disable, the generated files say that it is still to be done. */
static int take_orphan(Manager *m, char *const *enabled, const char *name) {
        if (strv_contains(enabled, name))
                return strv_extend(&m->orphans, name);

        finish_orphan(m, name);
        return 0;
}

static int find_orphans(Manager *m, const StoredDefinitions *stored) {
        _cleanup_strv_ char **generated = NULL, **enabled = NULL;
        int r;

        r = generated_list(m->root, &generated);
        if (r >= 0)
                r = enabled_containers_load(m->root, &enabled);
        if (r < 0)
                return r;

        STRV_FOREACH(name, generated) {
                if (is_stored(stored, *name) || strv_contains(m->orphans, *name) ||
                    !container_name_is_valid(*name))
                        continue;
                if (stored->no_folder) {
                        log_warning("Container '%s' has generated files, and " DEFINITION_DIR
                                    " is missing; they are left alone",
                                    *name);
                        continue;
                }
                log_notice(
                        "Container '%s' has no definition any more; removing what was made of it",
                        *name);
                r = take_orphan(m, enabled, *name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Definitions whose file has been removed behind our back. */
static void forget_missing(Manager *m, const StoredDefinitions *stored) {
        for (size_t i = 0; i < m->containers.n_items; i++) {
                Container *c = m->containers.items[i];

                if (container_is_defined(c) && !is_stored(stored, c->name))
                        container_set_def(c, NULL);
        }
}

/* Of two that claim the same, the one whose files have been made already was there before. */
static int take_definitions(Manager *m, StoredDefinitions *stored, const NetworkView *view) {
        _cleanup_strv_ char **generated = NULL;
        int change = 0, r;

        r = generated_list(m->root, &generated);
        if (r < 0)
                return r;
        for (unsigned newcomers = 0; newcomers < 2; newcomers++)
                for (size_t i = 0; i < stored->n_items; i++) {
                        if (strv_contains(generated, stored->items[i].name) == (newcomers == 1))
                                continue;
                        r = take_definition(m, &stored->items[i], view);
                        if (r < 0)
                                return r;
                        change |= r;
                }
        return change;
}

int reconcile_definitions(Manager *m) {
        _cleanup_stored_definitions_ StoredDefinitions stored = { 0 };
        _cleanup_network_view_ NetworkView view = { 0 };
        int change, r;

        r = definition_store_clean(m->root);
        if (r < 0)
                log_warning_errno(r, "Could not remove all temporary files");
        r = definition_store_protect(m->root);
        if (r < 0)
                log_warning_errno(r, "Could not protect all definitions from being read");

        r = definition_store_load(m->root, &stored);
        if (r >= 0)
                r = network_view_load(m, &view);
        if (r < 0)
                return r;

        forget_missing(m, &stored);
        change = take_definitions(m, &stored, &view);
        if (change < 0)
                return change;

        r = find_orphans(m, &stored);
        return r < 0 ? r : (change & GENERATED_UNIT_CHANGED) != 0;
}

/*
 * Orphans
 */

static void on_disabled(const UnitReply *reply, void *userdata) {
        _cleanup_free_ char *name = NULL;
        Manager *m = userdata;

        if (container_from_unit(reply->unit, &name) < 0)
                return;
        if (reply->error)
                log_warning("Could not disable %s: %s", reply->unit, reply->error->message);

        finish_orphan(m, name);
        (void) strv_remove(m->orphans, name);
        manager_check_ready(m);
}

void reconcile_orphans(Manager *m) {
        STRV_FOREACH(name, m->orphans) {
                _cleanup_free_ char *unit = container_unit_name(*name);
                int r;

                r = unit ? unit_client_enable(m->units, unit, false, on_disabled, m) : -ENOMEM;
                if (r < 0)
                        log_warning_errno(r, "Could not disable the unit of container '%s'", *name);
        }
}

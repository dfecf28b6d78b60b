/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/container_refresh.h"

#include "agent/container_watch.h"
#include "agent/plug.h"
#include "base/log.h"
#include "base/name.h"
#include "units/bridge_marker.h"
#include "units/enabled_containers.h"
#include "units/unit_bridges.h"

/* While the agent starts, the markers are all that is known. */
static bool is_ready(const Manager *m, const char *bridge) {
        _cleanup_marker_ BridgeMarker marker = { 0 };

        return m->bridges ? bridge_watch_is_ready(m->bridges, bridge)
                          : bridge_marker_read(m->run_fd, bridge, &marker) >= 0;
}

bool container_bridges_ready(const Manager *m, const Container *c) {
        STRV_FOREACH(bridge, c->bridges)
                if (!is_ready(m, *bridge))
                        return false;
        return true;
}

static void free_plugs(NspawnPlug *plugs, size_t n_plugs) {
        for (size_t i = 0; i < n_plugs; i++) {
                free(plugs[i].link);
                free(plugs[i].bridge);
        }
        free(plugs);
}

/* Only a file that we made says where further pairs belong. */
static void read_plugs(Manager *m, Container *c) {
        _cleanup_(nspawn_file_freep) NspawnFile *f = NULL;
        int r;

        free_plugs(c->plugs, c->n_plugs);
        c->plugs = NULL;
        c->n_plugs = 0;

        r = nspawn_file_load(m->root, c->name, &f);
        if (r < 0 || !f->generated)
                return;
        c->plugs = TAKE_PTR(f->plugs);
        c->n_plugs = f->n_plugs;
        f->n_plugs = 0;
}

static bool take_vector(char ***field, char ***value) {
        bool changed = !strv_equal(*field, *value);

        strv_free(*field);
        *field = TAKE_PTR(*value);
        return changed;
}

/* With others than before: to whom it waited for those, the edge of these is to come or has passed
 * without it. If it was down though all was ready, that was somebody's will. */
static bool take_bridges(Manager *m, Container *c, char ***bridges) {
        bool known = strv_length(c->bridges) > 0 && strv_length(*bridges) > 0;
        bool was_ready;

        if (strv_equal(c->bridges, *bridges))
                return false;
        was_ready = known && container_bridges_ready(m, c);
        (void) take_vector(&c->bridges, bridges);
        if (known && c->enabled && !c->active && !(was_ready && container_bridges_ready(m, c)))
                c->start_when_ready = true;
        return true;
}

/* 1 if the generator would make something else of it than before. */
static int read_container(Manager *m, Container *c, const UnitFiles *files, bool enabled) {
        _cleanup_unit_bridges_ UnitBridges uses = { 0 };
        _cleanup_error_ Error *err = NULL;
        bool was_enabled = c->enabled, changed;
        int r;

        c->enabled = enabled;
        r = unit_bridges_find(files, c->name, &uses, &err);
        if (r < 0) {
                _cleanup_free_ char *text = err ? error_format(err) : NULL;

                log_warning("Container '%s': cannot tell which bridges it uses: %s", c->name,
                            text ? text : strerror(-r));
                return was_enabled != enabled;
        }

        changed = take_bridges(m, c, &uses.bridges);
        changed = take_vector(&c->networks, &uses.networks) || changed;
        read_plugs(m, c);
        if (m->links)
                plug_container(m, c);
        return was_enabled != enabled || (enabled && changed);
}

static int make_foreign(Manager *m, char *const *enabled) {
        for (size_t i = 0; enabled && enabled[i]; i++) {
                Container *c;
                int r;

                if (!container_name_is_valid(enabled[i]))
                        continue;
                r = container_table_ensure(&m->containers, m, enabled[i], &c);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_files(Manager *m, UnitFiles **ret_files, char ***ret_enabled) {
        _cleanup_(unit_files_freep) UnitFiles *files = NULL;
        int r;

        r = unit_files_load(m->root, &files);
        if (r >= 0)
                r = enabled_containers_list(files, ret_enabled);
        if (r >= 0)
                *ret_files = TAKE_PTR(files);
        return r;
}

int container_refresh_all(Manager *m) {
        _cleanup_(unit_files_freep) UnitFiles *files = NULL;
        _cleanup_strv_ char **enabled = NULL;
        bool changed = false;
        int r;

        r = load_files(m, &files, &enabled);
        if (r >= 0)
                r = make_foreign(m, enabled);
        if (r < 0)
                return r;

        /* Backwards, since dropping moves up what stands behind. */
        for (size_t i = m->containers.n_items; i > 0; i--) {
                Container *c = m->containers.items[i - 1];

                if (read_container(m, c, files, strv_contains(enabled, c->name)) > 0)
                        changed = true;
                if (!container_is_kept(c))
                        container_table_drop(&m->containers, c);
        }
        return changed;
}

int container_refresh(Manager *m, Container *c) {
        _cleanup_(unit_files_freep) UnitFiles *files = NULL;
        _cleanup_strv_ char **enabled = NULL;
        int r;

        r = load_files(m, &files, &enabled);
        if (r < 0)
                return r;
        return read_container(m, c, files, strv_contains(enabled, c->name));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/container.h"

#include "agent/api.h"
#include "agent/manager.h"
#include "units/unit_name.h"

#define POOL_DIR "/var/lib/machines"

static void plugs_free(NspawnPlug *plugs, size_t n_plugs) {
        for (size_t i = 0; i < n_plugs; i++) {
                free(plugs[i].link);
                free(plugs[i].bridge);
        }
        free(plugs);
}

Container *container_free(Container *c) {
        if (!c)
                return NULL;

        free(c->name);
        free(c->unit);
        container_def_free(c->def);
        free(c->problem);
        strv_free(c->bridges);
        strv_free(c->networks);
        plugs_free(c->plugs, c->n_plugs);
        strv_free(c->resolved);
        free(c->active_state);
        free(c->sub_state);
        free(c->result);
        free(c->last_failure);
        sd_event_source_disable_unref(c->shutdown_timer);
        sd_event_source_disable_unref(c->destroy_timer);
        sd_bus_slot_unref(c->destroy_slot);
        sd_event_source_disable_unref(c->retry_timer);
        free(c);
        return NULL;
}

int container_new(Manager *manager, const char *name, Container **ret) {
        _cleanup_(container_freep) Container *c = NULL;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;

        c->manager = manager;
        /* Whatever systemd has loaded has been reported, so this one is known to be down. */
        c->seen = c->caught_up = manager && manager->units_listed;
        c->name = strdup(name);
        c->unit = container_unit_name(name);
        if (!c->name || !c->unit)
                return -ENOMEM;

        *ret = TAKE_PTR(c);
        return 0;
}

/* The place of name in the table, or the place where it would have to stand. */
static size_t table_find(const ContainerTable *t, const char *name, bool *ret_found) {
        size_t low = 0, high = t->n_items;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(t->items[middle]->name, name);

                if (order == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }

        *ret_found = false;
        return low;
}

Container *container_table_by_name(const ContainerTable *t, const char *name) {
        bool found;
        size_t i = table_find(t, name, &found);

        return found ? t->items[i] : NULL;
}

Container *container_table_by_uuid(const ContainerTable *t, const Uuid *uuid) {
        for (size_t i = 0; i < t->n_items; i++)
                if (t->items[i]->def && uuid_equal(&t->items[i]->def->uuid, uuid))
                        return t->items[i];
        return NULL;
}

Container *container_table_by_id(const ContainerTable *t, uint32_t id) {
        if (id == 0)
                return NULL;
        for (size_t i = 0; i < t->n_items; i++)
                if (t->items[i]->main_pid == id)
                        return t->items[i];
        return NULL;
}

int container_table_ensure(ContainerTable *t, Manager *manager, const char *name, Container **ret) {
        _cleanup_(container_freep) Container *c = NULL;
        Container **items;
        bool found;
        size_t i;
        int r;

        i = table_find(t, name, &found);
        if (found) {
                *ret = t->items[i];
                return 0;
        }

        r = container_new(manager, name, &c);
        if (r < 0)
                return r;
        items = realloc(t->items, (t->n_items + 1) * sizeof(*items));
        if (!items)
                return -ENOMEM;

        t->items = items;
        memmove(items + i + 1, items + i, (t->n_items - i) * sizeof(*items));
        t->n_items++;
        *ret = items[i] = TAKE_PTR(c);
        return 0;
}

void container_table_drop(ContainerTable *t, Container *c) {
        bool found;
        size_t i = table_find(t, c->name, &found);

        assert(found && t->items[i] == c);

        t->n_items--;
        memmove(t->items + i, t->items + i + 1, (t->n_items - i) * sizeof(*t->items));
        container_free(c);
}

void container_table_done(ContainerTable *t) {
        for (size_t i = 0; i < t->n_items; i++)
                container_free(t->items[i]);
        free(t->items);
        *t = (ContainerTable){ 0 };
}

const char *container_state(const Container *c) {
        if (isempty(c->active_state) || streq(c->active_state, "inactive"))
                return CTVIRT_STATE_SHUTOFF;
        if (streq(c->active_state, "failed"))
                return c->destroy_requested ? CTVIRT_STATE_SHUTOFF : CTVIRT_STATE_CRASHED;
        if (streq(c->active_state, "deactivating"))
                return CTVIRT_STATE_SHUTDOWN;
        return CTVIRT_STATE_RUNNING;
}

const char *container_state_reason(const Container *c) {
        const char *state = container_state(c);

        if (streq(state, CTVIRT_STATE_RUNNING))
                return "booted";
        if (streq(state, CTVIRT_STATE_SHUTDOWN))
                return c->shutdown_requested || c->destroy_requested ? "user" : "unknown";
        if (streq(state, CTVIRT_STATE_CRASHED) && c->last_failure)
                return c->last_failure;
        if (streq(state, CTVIRT_STATE_CRASHED))
                return isempty(c->result) ? "unknown" : c->result;
        return c->stop_reason ? c->stop_reason : "unknown";
}

bool container_is_defined(const Container *c) {
        return c->def || c->problem;
}

char *container_root_path(const Container *c) {
        const char *root = c->def ? container_def_root(c->def) : NULL;
        char *path;

        if (root)
                return strdup(root);
        return asprintf(&path, POOL_DIR "/%s", c->name) < 0 ? NULL : path;
}

void container_set_def(Container *c, ContainerDef *def) {
        container_def_free(c->def);
        c->def = def;
        free(c->problem);
        c->problem = NULL;
        c->resolved = strv_free(c->resolved);
        c->unresolved = false;
}

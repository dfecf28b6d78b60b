/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/network.h"

#include "xml/network_def.h"

static Network *network_free(Network *n) {
        if (!n)
                return NULL;
        free(n->name);
        free(n->bridge);
        free(n->forward_mode);
        free(n);
        return NULL;
}
DEFINE_CLEANUP(Network *, network_free)

/* The place of name, or the one where it would have to be put. */
static size_t table_search(const NetworkTable *t, const char *name, bool *ret_found) {
        size_t low = 0, high = t->n_items;

        *ret_found = false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int c = strcmp(t->items[middle]->name, name);

                if (c == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (c < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

Network *network_table_by_name(const NetworkTable *t, const char *name) {
        bool found;
        size_t i = table_search(t, name, &found);

        return found ? t->items[i] : NULL;
}

Network *network_table_by_uuid(const NetworkTable *t, const Uuid *uuid) {
        for (size_t i = 0; i < t->n_items; i++)
                if (uuid_equal(&t->items[i]->uuid, uuid))
                        return t->items[i];
        return NULL;
}

Network *network_table_by_bridge(const NetworkTable *t, const char *bridge) {
        Network *found = NULL;

        for (size_t i = 0; i < t->n_items; i++) {
                if (!streq_ptr(t->items[i]->bridge, bridge))
                        continue;
                if (t->items[i]->active)
                        return t->items[i];
                if (!found)
                        found = t->items[i];
        }
        return found;
}

bool network_owns_bridge(const Network *n) {
        return network_def_owns_bridge(&(const NetworkDef){
                .bridge = n->bridge,
                .forward_mode = n->forward_mode,
        });
}

Network *network_table_add(NetworkTable *t, const char *name) {
        _cleanup_(network_freep) Network *n = NULL;
        Network **items;
        bool found;
        size_t i;

        i = table_search(t, name, &found);
        if (found)
                return t->items[i];

        n = calloc(1, sizeof(*n));
        if (!n)
                return NULL;
        n->name = strdup(name);
        if (!n->name)
                return NULL;
        items = reallocarray(t->items, t->n_items + 1, sizeof(*items));
        if (!items)
                return NULL;

        t->items = items;
        memmove(items + i + 1, items + i, (t->n_items - i) * sizeof(*items));
        t->n_items++;
        items[i] = TAKE_PTR(n);
        return items[i];
}

void network_table_remove(NetworkTable *t, Network *n) {
        bool found;
        size_t i = table_search(t, n->name, &found);

        if (!found)
                return;
        network_free(t->items[i]);
        t->n_items--;
        memmove(t->items + i, t->items + i + 1, (t->n_items - i) * sizeof(*t->items));
}

void network_table_done(NetworkTable *t) {
        for (size_t i = 0; i < t->n_items; i++)
                network_free(t->items[i]);
        free(t->items);
        *t = (NetworkTable){ 0 };
}

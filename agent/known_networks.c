/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/known_networks.h"

static int copy_string(const char *s, char **ret) {
        *ret = s ? strdup(s) : NULL;
        return s && !*ret ? -ENOMEM : 0;
}

static int copy_network(const Network *n, NetworkDef **ret) {
        _cleanup_(network_def_freep) NetworkDef *def = calloc(1, sizeof(*def));

        if (!def || copy_string(n->name, &def->name) < 0 ||
            copy_string(n->bridge, &def->bridge) < 0 ||
            copy_string(n->forward_mode, &def->forward_mode) < 0)
                return -ENOMEM;
        def->has_uuid = true;
        def->uuid = n->uuid;
        *ret = TAKE_PTR(def);
        return 0;
}

int known_networks_copy(const NetworkTable *t, LibvirtNetworks *ret) {
        _cleanup_libvirt_networks_ LibvirtNetworks known = { 0 };
        int r;

        known.items = calloc(t->n_items + 1, sizeof(*known.items));
        if (!known.items)
                return -ENOMEM;
        for (size_t i = 0; i < t->n_items; i++) {
                r = copy_network(t->items[i], known.items + known.n_items);
                if (r < 0)
                        return r;
                known.n_items++;
        }

        *ret = known;
        known = (LibvirtNetworks){ 0 };
        return 0;
}

static bool same_network(const NetworkDef *a, const NetworkDef *b) {
        return streq_ptr(a->bridge, b->bridge) && streq_ptr(a->forward_mode, b->forward_mode);
}

/* Names are unique in libvirt, and in what we make of its files. */
bool known_networks_equal(const LibvirtNetworks *a, const LibvirtNetworks *b) {
        if (a->n_items != b->n_items)
                return false;
        for (size_t i = 0; i < a->n_items; i++) {
                const NetworkDef *other = libvirt_networks_by_name(b, a->items[i]->name);

                if (!other || !same_network(a->items[i], other))
                        return false;
        }
        return true;
}

static bool owns(const LibvirtNetworks *n, const char *bridge) {
        for (size_t i = 0; i < n->n_items; i++)
                if (streq_ptr(n->items[i]->bridge, bridge) && network_def_owns_bridge(n->items[i]))
                        return true;
        return false;
}

static const char *bridge_of(const LibvirtNetworks *n, const char *network) {
        const NetworkDef *def = libvirt_networks_by_name(n, network);

        return def ? def->bridge : NULL;
}

bool known_networks_matter(const LibvirtNetworks *before, const LibvirtNetworks *after,
                           const ContainerTable *containers) {
        for (size_t i = 0; i < containers->n_items; i++) {
                const Container *c = containers->items[i];

                STRV_FOREACH(bridge, c->bridges)
                        if (owns(before, *bridge) != owns(after, *bridge))
                                return true;
                STRV_FOREACH(network, c->networks)
                        if (!streq_ptr(bridge_of(before, *network), bridge_of(after, *network)))
                                return true;
        }
        return false;
}

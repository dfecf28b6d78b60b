/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bridge_resolve.h"

#include "agent/bus_errors.h"

int network_view_load(const Manager *m, NetworkView *ret) {
        *ret = (NetworkView){ 0 };
        if (m->networks_known) {
                ret->table = &m->networks;
                return 0;
        }
        return libvirt_networks_load(m->root, &ret->files);
}

void network_view_done(NetworkView *v) {
        if (!v->table)
                libvirt_networks_done(&v->files);
}

/* False: nobody knows the network. *ret_bridge is NULL for one that has no bridge. */
static bool find_bridge(const NetworkView *v, const char *network, const char **ret_bridge) {
        const NetworkDef *def;
        const Network *n;

        if (v->table) {
                n = network_table_by_name(v->table, network);
                *ret_bridge = n ? n->bridge : NULL;
                return n;
        }

        def = libvirt_networks_by_name(&v->files, network);
        *ret_bridge = def ? def->bridge : NULL;
        return def;
}

static int resolve_network(const NetworkView *v, const InterfaceDef *i, const char *before,
                           const char **ret, Error **err) {
        const char *bridge;

        if (!find_bridge(v, i->source, &bridge)) {
                *ret = before ? before : "";
                return 0;
        }
        if (!bridge)
                return error_set(
                        err, ERRNO_OPERATION_INVALID,
                        "network '%s' has no bridge, so that a container cannot be plugged "
                        "into it",
                        i->source);
        *ret = bridge;
        return 0;
}

int bridges_resolve(const NetworkView *v, const ContainerDef *def, char *const *before, char ***ret,
                    Error **err) {
        _cleanup_strv_ char **bridges = NULL;
        size_t n_before = strv_length(before), n = 0;
        int r;

        for (size_t i = 0; i < def->n_interfaces; i++) {
                const InterfaceDef *interface = &def->interfaces[i];
                const char *bridge = interface->source;

                if (interface->type == INTERFACE_TYPE_DIRECT)
                        continue;
                if (interface->type == INTERFACE_TYPE_NETWORK) {
                        r = resolve_network(v, interface, n < n_before ? before[n] : NULL, &bridge,
                                            err);
                        if (r < 0)
                                return r;
                }
                r = strv_extend(&bridges, bridge);
                if (r < 0)
                        return r;
                n++;
        }

        *ret = TAKE_PTR(bridges);
        return 0;
}

bool bridges_unresolved(char *const *bridges) {
        return strv_contains(bridges, "");
}

int bridges_warn(const ContainerDef *def, char *const *bridges, char ***warnings) {
        size_t n = 0;
        int r;

        for (size_t i = 0; i < def->n_interfaces; i++) {
                if (def->interfaces[i].type == INTERFACE_TYPE_DIRECT)
                        continue;
                if (*bridges[n++])
                        continue;
                r = strv_extendf(warnings,
                                 "network '%s' is not known to libvirt yet; the container waits "
                                 "for it",
                                 def->interfaces[i].source);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * org.ctvirt.agent1.Network, see agent/api.h.
 */

#include "agent/api.h"
#include "agent/bus_objects.h"
#include "agent/container_info.h"
#include "agent/network_wait.h"

static bool uses_network(const Container *c, const Network *n) {
        return strv_contains(c->networks, n->name) ||
               (n->bridge && strv_contains(c->bridges, n->bridge));
}

/* Those that are enabled first, as they are what the network starts. */
static int using_containers(const Manager *m, const Network *n, char ***ret) {
        _cleanup_strv_ char **names = NULL;

        for (int enabled = 1; enabled >= 0; enabled--)
                for (size_t i = 0; i < m->containers.n_items; i++) {
                        const Container *c = m->containers.items[i];
                        int r;

                        if (c->enabled != (enabled == 1) || !uses_network(c, n))
                                continue;
                        r = strv_extend(&names, c->name);
                        if (r < 0)
                                return r;
                }

        *ret = TAKE_PTR(names);
        return 0;
}

static const char *text(const char *s) {
        return s ? s : "";
}

static int append_libvirt(sd_bus_message *reply, const Network *n) {
        _cleanup_free_ char *path = NULL;
        char uuid[UUID_STRING_MAX];
        int r;

        r = sd_bus_path_encode(CTVIRT_BUS_NETWORK_PREFIX, n->name, &path);
        if (r < 0)
                return r;
        return sd_bus_message_append(reply, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}",   /* */
                                     "Path", "o", path,                           /* */
                                     "Name", "s", n->name,                        /* */
                                     "UUID", "s", uuid_to_string(&n->uuid, uuid), /* */
                                     "Active", "b", (int) n->active,              /* */
                                     "Persistent", "b", (int) n->persistent,      /* */
                                     "Autostart", "b", (int) n->autostart,        /* */
                                     "Bridge", "s", text(n->bridge),              /* */
                                     "ForwardMode", "s", text(n->forward_mode));
}

static int append_bridge(sd_bus_message *reply, Manager *m, const Network *n) {
        bool ready = false, handled = false;
        unsigned incarnation = 0;

        if (n->bridge) {
                ready = bridge_watch_is_ready(m->bridges, n->bridge);
                incarnation = bridge_watch_incarnation(m->bridges, n->bridge, &handled);
        }
        return sd_bus_message_append(reply, "{sv}{sv}{sv}",                      /* */
                                     "Ready", "b", (int) ready,                  /* */
                                     "Incarnation", "u", (uint32_t) incarnation, /* */
                                     "Handled", "b", (int) handled);
}

int network_info_append(sd_bus_message *reply, Manager *m, const Network *n) {
        _cleanup_strv_ char **containers = NULL;
        int r;

        r = using_containers(m, n, &containers);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r >= 0)
                r = append_libvirt(reply, n);
        if (r >= 0)
                r = append_bridge(reply, m, n);
        if (r >= 0)
                r = append_strv_entry(reply, "Containers", containers);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void get_info(Request *request) {
        _cleanup_free_ char *name = NULL;
        Manager *m = request->manager;
        const Network *n;
        int r;

        r = sd_bus_path_decode(sd_bus_message_get_path(request->message), CTVIRT_BUS_NETWORK_PREFIX,
                               &name);
        n = r > 0 ? network_table_by_name(&m->networks, name) : NULL;
        if (r >= 0 && !n) {
                request_fail(request, CTVIRT_ERROR_NO_SUCH_NETWORK, "no such network");
                return;
        }

        if (r >= 0)
                r = sd_bus_message_new_method_return(request->message, &request->reply);
        if (r >= 0)
                r = network_info_append(request->reply, m, n);
        if (r < 0)
                request_fail_errno(request, r, NULL);
        else
                request_answer(request);
}

static void wait_get_info(Request *request) {
        network_wait(request, get_info);
}

static int method_get_info(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return request_begin_free(userdata, message, wait_get_info);
}

/* A Network knows no manager, so the object's userdata is the manager. */
static int find_network(sd_bus *bus, const char *path, const char *interface, void *userdata,
                        void **ret_found, sd_bus_error *ret_error) {
        _cleanup_free_ char *name = NULL;
        Manager *m = userdata;
        int r;

        r = sd_bus_path_decode(path, CTVIRT_BUS_NETWORK_PREFIX, &name);
        if (r <= 0)
                return r;
        /* Before the list, one that we have not heard of may exist. */
        if (m->networks_known && !network_table_by_name(&m->networks, name))
                return 0;

        *ret_found = m;
        return 1;
}

static int list_networks(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                         sd_bus_error *ret_error) {
        _cleanup_strv_ char **nodes = NULL;
        Manager *m = userdata;

        for (size_t i = 0; i < m->networks.n_items; i++) {
                char *path;
                int r;

                r = sd_bus_path_encode(CTVIRT_BUS_NETWORK_PREFIX, m->networks.items[i]->name,
                                       &path);
                if (r >= 0)
                        r = strv_push(&nodes, path);
                if (r < 0)
                        return r;
        }

        *ret_nodes = TAKE_PTR(nodes);
        return 1;
}

static const sd_bus_vtable network_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetInfo", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", info),
                                method_get_info, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int network_bus_add(sd_bus *bus, Manager *m) {
        int r;

        r = sd_bus_add_fallback_vtable(bus, NULL, CTVIRT_BUS_NETWORK_PREFIX, CTVIRT_BUS_NETWORK,
                                       network_vtable, find_network, m);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(bus, NULL, CTVIRT_BUS_NETWORK_PREFIX, list_networks, m);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/addresses.h"

#include <arpa/inet.h>
#include <strings.h>

#include "agent/api.h"
#include "agent/container_info.h"
#include "agent/manager.h"
#include "agent/unit_transition.h"

#define MACHINED_NAME "org.freedesktop.machine1"
#define MACHINED_PATH "/org/freedesktop/machine1"
#define MACHINED_MANAGER "org.freedesktop.machine1.Manager"

/* One row of the answer; also an interface whose addresses are asked for. */
typedef struct Wanted {
        char *network;
        char *link;
        char mac[MAC_STRING_MAX];
} Wanted;

/*
 * A question to libvirt's thread. It outlives the request when the bus goes away, since a lookup
 * cannot be taken back.
 */
typedef struct LeaseQuery {
        Request *request; /* NULL: nobody waits any more */
        Wanted *wanted;
        size_t n_wanted;
        size_t asked; /* the next one to ask for */
        char *error;
} LeaseQuery;

static LeaseQuery *lease_query_free(LeaseQuery *q) {
        if (!q)
                return NULL;

        for (size_t i = 0; i < q->n_wanted; i++) {
                free(q->wanted[i].network);
                free(q->wanted[i].link);
        }
        free(q->wanted);
        free(q->error);
        free(q);
        return NULL;
}
DEFINE_CLEANUP(LeaseQuery *, lease_query_free)

static void on_request_end(void *userdata) {
        LeaseQuery *q = userdata;

        q->request = NULL;
}

static int begin_reply(Request *request) {
        int r;

        r = sd_bus_message_new_method_return(request->message, &request->reply);
        if (r >= 0)
                r = sd_bus_message_open_container(request->reply, SD_BUS_TYPE_ARRAY, "(sssu)");
        return r;
}

static void finish_reply(Request *request) {
        int r;

        r = sd_bus_message_close_container(request->reply);
        if (r < 0)
                request_fail_errno(request, r, NULL);
        else
                request_answer(request);
}

/*
 * Leases
 */

static int append_leases(LeaseQuery *q, const Wanted *wanted, const Lease *leases,
                         size_t n_leases) {
        for (size_t i = 0; i < n_leases; i++) {
                int r;

                if (!leases[i].mac || !leases[i].address ||
                    strcasecmp(leases[i].mac, wanted->mac) != 0)
                        continue;
                r = sd_bus_message_append(q->request->reply, "(sssu)", wanted->link, wanted->mac,
                                          leases[i].address, (uint32_t) leases[i].prefix);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void finish_query(LeaseQuery *q) {
        Request *request = q->request;

        q->request = NULL;
        if (request) {
                request->on_end = NULL;
                if (q->error)
                        request_fail(request, CTVIRT_ERROR_OPERATION_FAILED, "%s", q->error);
                else
                        finish_reply(request);
        }
        lease_query_free(q);
}

static int query_next(LeaseQuery *q, LeasesHandler handler) {
        return libvirt_link_get_leases(q->request->manager->libvirt, q->wanted[q->asked].network,
                                       handler, q);
}

/* One network after the other; a container seldom has more than two. */
static void query_on_leases(int error, const char *message, const Lease *leases, size_t n_leases,
                            void *userdata) {
        LeaseQuery *q = userdata;
        int r = error == 0 ? 0 : -EIO;

        if (!q->request) {
                finish_query(q);
                return;
        }

        if (r >= 0)
                r = append_leases(q, &q->wanted[q->asked++], leases, n_leases);
        if (r >= 0 && q->asked < q->n_wanted) {
                r = query_next(q, query_on_leases);
                if (r >= 0)
                        return;
        }
        if (r < 0)
                q->error = strdup(error != 0 && message ? message : strerror(-r));
        finish_query(q);
}

static const char *network_of(const Manager *m, const InterfaceDef *interface) {
        const Network *n;

        switch (interface->type) {
        case INTERFACE_TYPE_NETWORK:
                n = network_table_by_name(&m->networks, interface->source);
                return n && n->active ? n->name : NULL;
        case INTERFACE_TYPE_BRIDGE:
                n = network_table_by_bridge(&m->networks, interface->source);
                return n && n->active ? n->name : NULL;
        case INTERFACE_TYPE_DIRECT:
                return NULL;
        }
        return NULL;
}

/* Takes link over. */
static int query_add(LeaseQuery *q, const char *network, char *link, const uint8_t *mac) {
        Wanted *wanted = reallocarray(q->wanted, q->n_wanted + 1, sizeof(*wanted));
        char *copy = strdup(network);

        if (wanted)
                q->wanted = wanted;
        if (!wanted || !copy || !link) {
                free(copy);
                free(link);
                return -ENOMEM;
        }

        wanted += q->n_wanted++;
        *wanted = (Wanted){ .network = copy, .link = link };
        (void) mac_to_string(mac, wanted->mac);
        return 0;
}

/* An interface that does not ask for a lease; one of an earlier definition may not have run out. */
static int append_static(sd_bus_message *reply, const Container *c, size_t interface) {
        const InterfaceDef *def = &c->def->interfaces[interface];
        _cleanup_free_ char *link = container_link_outside(c, interface);
        char mac[MAC_STRING_MAX] = "-";

        if (!link)
                return -ENOMEM;
        if (def->has_mac)
                (void) mac_to_string(def->mac, mac);
        for (size_t i = 0; i < def->n_ips; i++) {
                int r = sd_bus_message_append(reply, "(sssu)", link, mac, def->ips[i].address,
                                              (uint32_t) def->ips[i].prefix);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int query_defined(LeaseQuery *q, const Manager *m, const Container *c,
                         sd_bus_message *reply) {
        for (size_t i = 0; i < c->def->n_interfaces; i++) {
                const InterfaceDef *interface = &c->def->interfaces[i];
                const char *network = network_of(m, interface);
                int r;

                if (interface->n_ips > 0) {
                        r = append_static(reply, c, i);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (!network || !interface->has_mac)
                        continue;
                r = query_add(q, network, container_link_outside(c, i), interface->mac);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int query_foreign(LeaseQuery *q, const Manager *m, const Container *c) {
        const Network *n = c->bridges ? network_table_by_bridge(&m->networks, c->bridges[0]) : NULL;
        uint8_t mac[ETH_ALEN];

        if (!n || !n->active)
                return 0;
        nspawn_container_mac(&m->machine_id, c->name, mac);
        return query_add(q, n->name, nspawn_bridge_link_name(c->name), mac);
}

static void get_leases(Request *request, const Container *c) {
        _cleanup_(lease_query_freep) LeaseQuery *q = NULL;
        Manager *m = request->manager;
        int r;

        q = calloc(1, sizeof(*q));
        r = q ? begin_reply(request) : -ENOMEM;
        if (r >= 0)
                r = c->def ? query_defined(q, m, c, request->reply) : query_foreign(q, m, c);
        if (r >= 0 && q->n_wanted == 0) {
                finish_reply(request);
                return;
        }
        if (r >= 0)
                r = libvirt_link_get_leases(m->libvirt, q->wanted[0].network, query_on_leases, q);
        if (r == -ENOTCONN) {
                request_fail(request, CTVIRT_ERROR_OPERATION_FAILED, "libvirt is not connected");
                return;
        }
        if (r < 0) {
                request_fail_errno(request, r, NULL);
                return;
        }

        q->request = request;
        request->on_end = on_request_end;
        request->userdata = TAKE_PTR(q);
}

/*
 * What the container itself has
 */

static bool is_link_local(int family, const uint8_t *address) {
        return family == AF_INET6 && address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

/* The interface is known only where there is but one. */
static int append_address(sd_bus_message *reply, const Container *c, int family, const void *data,
                          size_t size) {
        bool single = c->def && c->def->n_interfaces == 1;
        char address[INET6_ADDRSTRLEN], mac[MAC_STRING_MAX] = "-";

        if (size != (family == AF_INET6 ? 16U : 4U) || is_link_local(family, data) ||
            !inet_ntop(family, data, address, sizeof(address)))
                return 0;
        if (single && c->def->interfaces[0].has_mac)
                (void) mac_to_string(c->def->interfaces[0].mac, mac);
        return sd_bus_message_append(reply, "(sssu)", single ? "host0" : "-", mac, address,
                                     UINT32_C(0));
}

static int copy_addresses(sd_bus_message *from, sd_bus_message *to, const Container *c) {
        const void *data;
        size_t size;
        int family, r;

        r = sd_bus_message_enter_container(from, SD_BUS_TYPE_ARRAY, "(iay)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(from, SD_BUS_TYPE_STRUCT, "iay")) > 0) {
                r = sd_bus_message_read(from, "i", &family);
                if (r >= 0)
                        r = sd_bus_message_read_array(from, SD_BUS_TYPE_BYTE, &data, &size);
                if (r >= 0)
                        r = append_address(to, c, family, data, size);
                if (r >= 0)
                        r = sd_bus_message_exit_container(from);
                if (r < 0)
                        return r;
        }
        return r;
}

static void on_machine_addresses(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        Request *request = userdata;
        Container *c = request_container(request);
        int r;

        if (error || !c) {
                request_fail(request, CTVIRT_ERROR_OPERATION_FAILED, "%s",
                             error ? error->message : "the container has gone");
                return;
        }

        r = begin_reply(request);
        if (r >= 0)
                r = copy_addresses(reply, request->reply, c);
        if (r < 0)
                request_fail_errno(request, r, NULL);
        else
                finish_reply(request);
}

void addresses_get(Request *request) {
        Container *c = request_container(request);

        if (!c)
                request_fail(request, CTVIRT_ERROR_NO_SUCH_CONTAINER, "no container '%s'",
                             request->container);
        else if (unit_phase(c->active_state, c->sub_state) != UNIT_PHASE_UP)
                request_fail(request, CTVIRT_ERROR_OPERATION_INVALID, "Container is not running");
        else if (streq(request->text, "lease"))
                get_leases(request, c);
        else if (streq(request->text, "agent"))
                request_call(request, on_machine_addresses, MACHINED_NAME, MACHINED_PATH,
                             MACHINED_MANAGER, "GetMachineAddresses", "s", c->name);
        else
                request_fail(request, SD_BUS_ERROR_INVALID_ARGS,
                             "unknown source '%s'; it is 'lease' or 'agent'", request->text);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/libvirt_facts.h"

#include <libvirt/virterror.h>
#include <sys/socket.h>
#include <time.h>

#include "xml/network_def.h"

DEFINE_CLEANUP(virNetworkPtr, virNetworkFree)

static uint64_t now_usec(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

void network_facts_array_free(NetworkFacts *facts, size_t n) {
        for (size_t i = 0; i < n; i++)
                network_facts_done(facts + i);
        free(facts);
}

static int last_error(void) {
        return virGetLastErrorCode() == VIR_ERR_NO_NETWORK ? -ENXIO : -EIO;
}

static int ask_name(virNetworkPtr network, NetworkFacts *f) {
        const char *name = virNetworkGetName(network);

        if (!name || virNetworkGetUUID(network, f->uuid.bytes) < 0)
                return -EIO;
        f->name = strdup(name);
        return f->name ? 0 : -ENOMEM;
}

/* Inside a hook, libvirt holds the network's lock, and each of these waits for it: an answer is
 * never one from the middle of a start. */
static int ask_state(virNetworkPtr network, NetworkFacts *f) {
        int active, persistent, autostart;

        active = virNetworkIsActive(network);
        if (active < 0)
                return last_error();
        persistent = virNetworkIsPersistent(network);
        if (persistent < 0 || virNetworkGetAutostart(network, &autostart) < 0)
                return last_error();

        f->active = active > 0;
        f->persistent = persistent > 0;
        f->autostart = autostart > 0;
        return 0;
}

/* XML that we do not understand leaves the network without a bridge. */
static int ask_bridge(virNetworkPtr network, NetworkFacts *f) {
        _cleanup_(network_def_freep) NetworkDef *def = NULL;
        _cleanup_free_ char *xml = virNetworkGetXMLDesc(network, 0);

        if (!xml)
                return last_error();
        if (network_def_parse(xml, strlen(xml), f->name, &def, NULL) < 0)
                return 0;
        f->bridge = TAKE_PTR(def->bridge);
        f->forward_mode = TAKE_PTR(def->forward_mode);
        return 0;
}

int libvirt_facts_of(virNetworkPtr network, NetworkFacts *ret) {
        _cleanup_(network_facts_done) NetworkFacts f = { 0 };
        int r;

        r = ask_name(network, &f);
        if (r < 0)
                return r;

        f.asked_usec = now_usec();
        r = ask_state(network, &f);
        if (r >= 0)
                r = ask_bridge(network, &f);
        if (r < 0 && r != -ENXIO)
                return r;

        f.exists = r >= 0;
        *ret = f;
        f = (NetworkFacts){ 0 };
        return 0;
}

static int facts_of_all(virNetworkPtr *networks, size_t n, NetworkFacts *facts, size_t *ret_n) {
        size_t n_facts = 0;
        int r;

        for (size_t i = 0; i < n; i++) {
                NetworkFacts *f = facts + n_facts;

                r = libvirt_facts_of(networks[i], f);
                if (r < 0) {
                        *ret_n = n_facts;
                        return r;
                }
                if (f->exists)
                        n_facts++;
                else
                        network_facts_done(f);
        }
        *ret_n = n_facts;
        return 0;
}

int libvirt_facts_list(virConnectPtr conn, NetworkFacts **ret, size_t *ret_n) {
        virNetworkPtr *networks = NULL;
        NetworkFacts *facts;
        size_t n_facts = 0;
        int n, r = -ENOMEM;

        n = virConnectListAllNetworks(conn, &networks, 0);
        if (n < 0)
                return -EIO;

        facts = calloc((size_t) n + 1, sizeof(*facts));
        if (facts)
                r = facts_of_all(networks, (size_t) n, facts, &n_facts);
        for (int i = 0; i < n; i++)
                (void) virNetworkFree(networks[i]);
        free(networks);
        if (r < 0) {
                network_facts_array_free(facts, n_facts);
                return r;
        }

        *ret = facts;
        *ret_n = n_facts;
        return 0;
}

/* Moves the strings: both sides use malloc(3), and libvirt's lease is freed right after. */
static void lease_take(Lease *to, virNetworkDHCPLeasePtr from) {
        *to = (Lease){
                .interface = TAKE_PTR(from->iface),
                .mac = TAKE_PTR(from->mac),
                .address = TAKE_PTR(from->ipaddr),
                .hostname = TAKE_PTR(from->hostname),
                .prefix = from->prefix,
                .family = from->type == VIR_IP_ADDR_TYPE_IPV6 ? AF_INET6 : AF_INET,
                .expiry = from->expirytime,
        };
}

int libvirt_facts_leases(virConnectPtr conn, const char *network, Lease **ret, size_t *ret_n) {
        _cleanup_(virNetworkFreep) virNetworkPtr net = NULL;
        virNetworkDHCPLeasePtr *leases = NULL;
        Lease *copy;
        int n;

        net = virNetworkLookupByName(conn, network);
        if (!net)
                return last_error();
        n = virNetworkGetDHCPLeases(net, NULL, &leases, 0);
        if (n < 0)
                return last_error();

        copy = calloc((size_t) n + 1, sizeof(*copy));
        for (int i = 0; i < n; i++) {
                if (copy)
                        lease_take(copy + i, leases[i]);
                virNetworkDHCPLeaseFree(leases[i]);
        }
        free(leases);
        if (!copy)
                return -ENOMEM;

        *ret = copy;
        *ret_n = (size_t) n;
        return 0;
}

/* It may have ended meanwhile, or its XML may be one that we do not understand. */
static int add_taps(virDomainPtr domain, DomainTaps *taps) {
        _cleanup_free_ char *xml = virDomainGetXMLDesc(domain, 0);

        if (!xml)
                return 0;
        return domain_taps_parse(taps, xml, strlen(xml), NULL) == -ENOMEM ? -ENOMEM : 0;
}

int libvirt_facts_taps(virConnectPtr conn, DomainTaps *taps) {
        virDomainPtr *domains = NULL;
        int n, r = 0;

        n = virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
        if (n < 0)
                return -EIO;
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = add_taps(domains[i], taps);
                (void) virDomainFree(domains[i]);
        }
        free(domains);
        return r;
}

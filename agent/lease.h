#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lease: one DHCP lease as libvirt's dnsmasq gave it.
 */

#include "base/macro.h"

typedef struct Lease {
        char *interface, *mac, *address, *hostname;
        unsigned prefix;
        int family;
        int64_t expiry; /* seconds since the epoch, 0: never */
} Lease;

typedef void (*LeasesHandler)(int error, const char *message, const Lease *leases, size_t n_leases,
                              void *userdata);

void lease_array_free(Lease *leases, size_t n_leases);

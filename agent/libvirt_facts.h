#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Questions to libvirt, for the libvirt thread only: every one of these may wait without a limit.
 */

#include <libvirt/libvirt.h>

#include "agent/libvirt_queue.h"

/* A network that has gone meanwhile is no error: !ret->exists. -EIO: virGetLastError(). */
int libvirt_facts_of(virNetworkPtr network, NetworkFacts *ret);

/* All networks, with those left out that went meanwhile. -EIO: virGetLastError(). */
int libvirt_facts_list(virConnectPtr conn, NetworkFacts **ret, size_t *ret_n);
void network_facts_array_free(NetworkFacts *facts, size_t n);

/* The tap devices of all virtual machines that run, as far as they can be told: what one machine
 * hides does not hide the others'. -EIO: virGetLastError(). */
int libvirt_facts_taps(virConnectPtr conn, DomainTaps *taps);

/* -ENXIO: there is no such network. -EIO: virGetLastError(). */
int libvirt_facts_leases(virConnectPtr conn, const char *network, Lease **ret, size_t *ret_n);

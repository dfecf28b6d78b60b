#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LibvirtNetworks: the networks that libvirt has, read from its files without a connection: the
 * persistent ones (/etc/libvirt/qemu/networks/NAME.xml), the active ones
 * (/run/libvirt/network/NAME.xml), and what the agent last saw (CTVIRT_KNOWN_FILE).
 */

#include "base/strv.h"
#include "xml/network_def.h"

typedef struct LibvirtNetworks {
        NetworkDef **items;
        size_t n_items;
        size_t size;   /* bytes that were read */
        char **broken; /* paths of files that could not be read or parsed; they are skipped */
} LibvirtNetworks;

int libvirt_networks_load(const char *root, LibvirtNetworks *ret);
const NetworkDef *libvirt_networks_by_name(const LibvirtNetworks *n, const char *name);
const NetworkDef *libvirt_networks_by_bridge(const LibvirtNetworks *n, const char *bridge);

/* Writes CTVIRT_KNOWN_FILE (atomically, only when changed: 1 if written). */
int libvirt_networks_save(const char *root, const NetworkDef *const *items, size_t n_items);

void libvirt_networks_done(LibvirtNetworks *n);
#define _cleanup_libvirt_networks_ _cleanup_(libvirt_networks_done)

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The link names and MAC addresses that systemd-nspawn gives (src/nspawn/nspawn-network.c and
 * src/shared/netif-naming-scheme.h of systemd, 245 and later).
 */

#include <net/ethernet.h>

#include "base/macro.h"

typedef struct MachineId {
        uint8_t bytes[16];
} MachineId;

/* /etc/machine-id below root. -ENOMEDIUM when it is empty or not set up yet. */
int machine_id_load(const char *root, MachineId *ret);

/* Shortens a link name of more than 15 characters as nspawn does: 11 of them and 4 of its hash.
 * Owned; NULL: no memory. */
char *nspawn_shorten_link_name(const char *name);

/* Host end of the bridged pair: "vb-NAME", shortened and hashed as nspawn does it when longer than
 * 15 characters. NULL: no memory. */
char *nspawn_bridge_link_name(const char *container);

/* Host end of our extra pair number index (1 for the second interface): "vb1-NAME", hashed
 * likewise. */
char *nspawn_extra_link_name(const char *container, unsigned index);

/* The address that nspawn derives for host0 (index 0, extra false), or for the container's end of
 * the extra pair at position index of VirtualEthernetExtra= (0 for the first). */
void nspawn_container_mac(const MachineId *id, const char *container, uint8_t ret[static ETH_ALEN]);
void nspawn_extra_container_mac(const MachineId *id, const char *container, unsigned index,
                                uint8_t ret[static ETH_ALEN]);

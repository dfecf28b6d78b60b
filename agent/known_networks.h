#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * KnownNetworks: what the generator can know of libvirt's networks, and whether a change of it
 * changes what the generator would make of the containers there are. A daemon-reload costs the
 * whole host something, and most networks have no container.
 */

#include "agent/container.h"
#include "agent/network.h"
#include "units/libvirt_networks.h"

/* The table as the generator will read it (CTVIRT_KNOWN_FILE). */
int known_networks_copy(const NetworkTable *t, LibvirtNetworks *ret);

/* Same names, bridges and forward modes. */
bool known_networks_equal(const LibvirtNetworks *a, const LibvirtNetworks *b);

/* True if a container would be gated otherwise: one of its bridges came into libvirt's hands or out
 * of them, or one of its networks came, went, or changed its bridge. */
bool known_networks_matter(const LibvirtNetworks *before, const LibvirtNetworks *after,
                           const ContainerTable *containers);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which bridges the interfaces of a definition mean: the network's bridge is looked up in libvirt's
 * list, or, as long as there is none, in libvirt's files.
 */

#include "agent/manager.h"
#include "units/libvirt_networks.h"

typedef struct NetworkView {
        const NetworkTable *table; /* NULL: use the files */
        LibvirtNetworks files;
} NetworkView;

/* What is best known at this moment. Valid until the event loop goes on. */
int network_view_load(const Manager *m, NetworkView *ret);
void network_view_done(NetworkView *v);
#define _cleanup_network_view_ _cleanup_(network_view_done)

/*
 * *ret gets one string for each NETWORK or BRIDGE interface in document order, "" for a network
 * that nobody knows yet. Of those, `before` (the same for an older state of the same definition,
 * may be NULL) is kept. -EBUSY with a sentence: a network that has no bridge at all.
 */
int bridges_resolve(const NetworkView *v, const ContainerDef *def, char *const *before, char ***ret,
                    Error **err);

bool bridges_unresolved(char *const *bridges);

/* A warning for each network that is not known. */
int bridges_warn(const ContainerDef *def, char *const *bridges, char ***warnings);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Network: what the agent knows of one libvirt network, from the last list and the events since.
 * NetworkTable owns them; it is filled by libvirt_link.c and read by everybody.
 */

#include "base/strv.h"
#include "base/uuid.h"

typedef struct Network {
        char *name;
        Uuid uuid;
        char *bridge;       /* NULL: none */
        char *forward_mode; /* NULL: isolated */
        bool active;
        bool persistent;
        bool autostart;
        uint64_t asked_usec; /* CLOCK_MONOTONIC before libvirt was asked for these facts */
        bool seen;           /* by the list that is being taken over */
        const char
                *told; /* what a list showed to have happened, until libvirt's event comes, too */
} Network;

typedef struct NetworkTable {
        Network **items; /* sorted by name */
        size_t n_items;
} NetworkTable;

Network *network_table_by_name(const NetworkTable *t, const char *name);
Network *network_table_by_uuid(const NetworkTable *t, const Uuid *uuid);

/* The first network that names the bridge, an active one before others; NULL: libvirt does not
 * manage it. */
Network *network_table_by_bridge(const NetworkTable *t, const char *bridge);

/* True if libvirt creates the bridge itself (as network_def_owns_bridge()). */
bool network_owns_bridge(const Network *n);

/* The network of that name, added without facts if it is new. NULL: no memory. */
Network *network_table_add(NetworkTable *t, const char *name);
void network_table_remove(NetworkTable *t, Network *n);
void network_table_done(NetworkTable *t);

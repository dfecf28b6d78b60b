#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Container: a definition (or a foreign systemd-nspawn@ unit) and its live state. ContainerTable owns
 * them.
 */

#include "units/unit_client.h"
#include "units/nspawn_file.h"
#include "xml/container_def.h"

typedef struct Manager Manager;

typedef struct Container {
        Manager *manager;
        char *name;
        char *unit;
        ContainerDef *def; /* NULL: foreign */
        bool enabled;      /* autostart, from enabled_containers_load() */

        /* what it uses, from unit_bridges_load() */
        char **bridges;
        char **networks;
        bool unresolved;   /* a network of its definition has no known bridge yet */
        NspawnPlug *plugs;
        size_t n_plugs;

        /* live state, from UnitClient */
        bool seen;
        bool active;       /* active or activating or deactivating (a payload may be there) */
        char *active_state;
        char *sub_state;
        char *result;
        char *last_failure; /* sentence; NULL: the last start went well or there was none */
        uint32_t main_pid;
        bool shutdown_requested;
        bool destroy_requested;
} Container;

typedef struct ContainerTable {
        Container **items; /* sorted by name */
        size_t n_items;
} ContainerTable;

Container *container_table_by_name(const ContainerTable *t, const char *name);
Container *container_table_by_uuid(const ContainerTable *t, const Uuid *uuid);
Container *container_table_by_id(const ContainerTable *t, uint32_t id);

/* virsh's word (CTVIRT_STATE_*) for the live state. */
const char *container_state(const Container *c);

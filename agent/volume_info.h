#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pool, volumes, bases and snapshots as the bus shows them (agent/api.h).
 */

#include <systemd/sd-bus.h>

#include "agent/pool/snapshot.h"

typedef struct PoolFacts {
        char *path;
        const PoolBackend *backend;
        PoolInfo info;
        VolumeList volumes; /* those that were asked for */
} PoolFacts;

void pool_facts_done(PoolFacts *f);

int pool_info_append(sd_bus_message *m, const PoolFacts *f);
int volume_info_append(sd_bus_message *m, const char *pool_path, const Volume *v);
int snapshot_info_append(sd_bus_message *m, const Snapshot *s);

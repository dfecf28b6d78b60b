#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pool, volumes, bases and snapshots as the bus shows them (agent/api.h).
 */

#include <systemd/sd-bus.h>

#include "agent/pool/snapshot.h"

int pool_info_append(sd_bus_message *m, const Pool *p);
int volume_info_append(sd_bus_message *m, const Pool *p, const Volume *v);
int snapshot_info_append(sd_bus_message *m, const Snapshot *s);

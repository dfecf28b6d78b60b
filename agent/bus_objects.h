#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The objects of agent/api.h on a bus: one manager_bus.c, container_bus.c, network_bus.c, job_bus.c
 * and pool_bus.c each.
 */

#include "agent/manager.h"

int manager_bus_add(sd_bus *bus, Manager *m);
int container_bus_add(sd_bus *bus, Manager *m);
int network_bus_add(sd_bus *bus, Manager *m);
int job_bus_add(sd_bus *bus, Manager *m);
int pool_bus_add(sd_bus *bus, Manager *m);

/* All of them. Negative errno. */
int bus_objects_add(sd_bus *bus, Manager *m);

/* Writes the introspection data of all interfaces, as clients see them, to f; no bus daemon and
 * nothing of the host is needed. */
int bus_objects_introspect(FILE *f);

/* Used by the handlers: sets *ret_error and returns negative errno if there are other flags than
 * known. */
int bus_check_flags(uint64_t flags, uint64_t known, sd_bus_error *ret_error);

/* Appends an a{sv}: what NetworkInfo says of n. */
int network_info_append(sd_bus_message *reply, Manager *m, const Network *n);

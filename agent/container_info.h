#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the API says about a container: the dictionary of Container.GetInfo() and ListContainers(),
 * and the rows of GetInterfaces().
 */

#include "agent/manager.h"
#include "agent/unit_facts.h"

/* Appends an a{sv}. facts: NULL for the cheap keys alone, which need no question to systemd. */
int container_info_append(sd_bus_message *m, const Container *c, const UnitFacts *facts);

/* Appends an a(sssss). */
int container_interfaces_append(sd_bus_message *m, const Container *c);

/* The host's end of an interface, "vb-web"; "-" if there is none now. Owned by the caller. */
char *container_link_outside(const Container *c, size_t interface);

/* "{sv}" with an "as" in it; v may be NULL. Shared by the dictionaries of all objects. */
int append_strv_entry(sd_bus_message *m, const char *key, char *const *v);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The signals ContainerEvent and NetworkEvent, and the line about them in the journal. Nothing is
 * lost for good when the bus is away: events are hints, lists are the truth.
 */

#include "agent/manager.h"

void events_container(Manager *m, const Container *c, const char *event, const char *detail);

/* uuid may be NULL. For a container whose object has gone already. */
void events_container_name(Manager *m, const char *name, const Uuid *uuid, const char *event,
                           const char *detail);

void events_network(Manager *m, const Network *n, const char *event, const char *detail);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SystemBus: the connection to the system bus, and the agent's name on it. When the bus goes away
 * it is tried again, at first soon and then less often, for as long as the agent lives: networks
 * and bridges are looked after without a bus.
 */

#include <systemd/sd-bus.h>

#include "base/macro.h"

typedef struct SystemBus SystemBus;

typedef struct SystemBusHandlers {
        /* There is a new connection: add objects, matches and clients, and ask for the name when
         * calls can be answered. What was sent waits until the bus has greeted. Negative errno: the
         * connection is given up, and tried again later. */
        int (*on_connected)(sd_bus *bus, void *userdata);
        /* Forget everything that has to do with the connection. */
        void (*on_disconnected)(void *userdata);
        /* The name was acquired, or one attempt to get there has failed. */
        void (*on_settled)(bool named, void *userdata);
        void *userdata;
} SystemBusHandlers;

/* Nothing is called before the event loop runs. */
int system_bus_new(sd_event *event, const char *name, const SystemBusHandlers *handlers,
                   SystemBus **ret);

/* Asks for the name, once a connection; nothing without a connection. Those who call us by the name
 * wait until we have it. */
void system_bus_claim(SystemBus *b);

/* Calls on_disconnected if there is a connection. */
SystemBus *system_bus_free(SystemBus *b);
DEFINE_CLEANUP(SystemBus *, system_bus_free)

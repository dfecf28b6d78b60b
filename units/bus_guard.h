#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Signals that anybody may have made up. The bus carries a signal that is addressed to one
 * connection past all match rules, and sd-bus then takes it for one of the sender that a rule names
 * (value_node_test() in sd-bus/bus-match.c: it cannot know who owns a name). What we listen to is
 * never addressed; the bus lets such a signal through only from the owner of the name in the rule,
 * so every rule has to name a sender.
 */

#include <systemd/sd-bus.h>

/* Drops signals that are addressed to us, unless they are the bus's own. Before any match. */
int bus_guard_add(sd_bus *bus);

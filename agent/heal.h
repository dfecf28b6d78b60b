#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Healing: a start that failed for a cause that passes by itself is tried again, a few times, as
 * retry.h decides. Never against a person: not when it was another who started the unit, and not
 * once it got an order from anybody else.
 */

#include "agent/manager.h"

/* The start of containers was ordered on our account: by an edge of this bridge (which counts once
 * systemd has told all that was before it); by a person who asked the agent. */
void heal_on_edge(Manager *m, const char *bridge);
void heal_on_start_order(Container *c);

/* Systemd has begun a start, whoever ordered it. */
void heal_on_starting(Container *c);
void heal_on_started(Container *c);

/* A person has told the agent to stop it, while it does not run. False: nothing was to be called
 * off. */
bool heal_call_off(Container *c);

/* A unit that was being started, or had failed, when the agent began its life. Whose start that was
 * follows from the agent's last word (retry_record.h), or from the edge, if it began with that. */
void heal_on_starting_found(Container *c);
void heal_on_failed_found(Container *c, const char *line);

/* line: nspawn's last; NULL: none. */
void heal_on_failure(Container *c, const char *line);

/* What systemd was told last it may not have heard. */
void heal_on_bus_gone(Manager *m);

/* Notices the orders of others; with each connection to the bus. Negative errno. */
int heal_watch_orders(Manager *m);

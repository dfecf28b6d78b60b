#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The event core of the agent: everything that turns facts about networks and bridges into edges.
 */

#include "agent/manager.h"

/*
 * Makes m->bridges, m->links, m->markers and m->libvirt and connects them. m->root, m->event,
 * m->run_fd and m->libvirt_uri (NULL: network:///system) are set, and the containers are loaded.
 * Nothing calls back before the event loop runs; then all bridges are looked at first. On failure
 * everything is undone.
 */
int event_core_new(Manager *m);

/* Frees the four again; safe after a failed or no event_core_new(). */
void event_core_free(Manager *m);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * daemon-reload: the agent's own are asked for with manager_request_reload() and come together;
 * the end of each, whoever asked for it, is where files are read again, since that is what systemd
 * knows then.
 */

#include "agent/manager.h"

/* Before the loop runs. */
int reload_prepare(Manager *m);

/* On each new connection to the bus. */
int reload_watch(Manager *m);

/* For unit_client_new(); userdata is the Manager. */
void reload_on_reloaded(void *userdata);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What files say about containers: which are enabled, and which bridges and networks each uses. The
 * same reading as that of the generator, so that agent and systemd mean the same.
 */

#include "agent/manager.h"

/* Looks at all enabled containers and at those in the table, makes foreign ones that are new and
 * drops those that are neither enabled nor alive any more. 1 if something changed that the
 * generator turns into something for systemd; 0 if not; negative errno. */
int container_refresh_all(Manager *m);

/* The same for one container that stays. */
int container_refresh(Manager *m, Container *c);

/* All bridges of its unit are ready at this moment; also true if it uses none. */
bool container_bridges_ready(const Manager *m, const Container *c);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The live state of containers, from what UnitClient reports, and the events that follow from it.
 */

#include "agent/manager.h"

/* The UnitStateHandler; userdata is the Manager. */
void container_watch_on_unit(const UnitState *state, void *userdata);

/* With a new bus: UnitClient reports what there is; this finds what is not there (any more), so
 * that all states are known. Negative errno. */
int container_watch_catch_up(Manager *m);

/* Whether the table has to keep c: it is defined, enabled, alive, or has failed just now. */
bool container_is_kept(const Container *c);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Definitions name networks, units need bridges: when libvirt's networks become known or change,
 * the files of the containers that name them are made anew.
 */

#include "agent/manager.h"

/* Looks at the definitions that name the network (NULL: at all of them). */
void network_follow(Manager *m, const char *network);

/* After a daemon-reload: starts the enabled containers whose bridges have only just become known
 * and are ready, since the edge may have passed while their units did not hang on it. */
void network_follow_start(Manager *m);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Plugging: the host ends of containers' veth pairs put on their bridges. systemd-nspawn does this
 * for the first pair of a container when it starts, and nobody does it for further pairs, or when a
 * bridge is made again under a running container.
 *
 * Orders go over rtnetlink, where the kernel answers at once and no other process is asked.
 */

#include "agent/link_watch.h"
#include "agent/manager.h"

/* A link appeared: if it is the further pair of a container and its bridge exists, it is put there.
 */
void plug_on_link(Manager *m, const Link *link);

/* A bridge became ready. All links that belong on it and have no master are put there; with `anew`
 * (an incarnation that we saw come) also those that are on another bridge. */
void plug_on_bridge(Manager *m, const char *bridge, unsigned ifindex, bool anew);

/* A container was loaded or changed: its links that exist and have no master. */
void plug_container(Manager *m, const Container *c);

/* One RTM_SETLINK: master and IFF_UP. -ENODEV when one of the two has gone. */
int plug_link(unsigned link_ifindex, unsigned bridge_ifindex);

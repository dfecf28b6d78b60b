#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the kernel says of a bridge's link, by ioctl(2) (netdevice(7)): cheap enough for the hook.
 */

#include "base/macro.h"

typedef struct BridgeLink {
        unsigned ifindex; /* the incarnation; 0: no such link */
        bool up; /* IFF_UP. Never operstate: a bridge without ports is NO-CARRIER. Never true of
                  * "lo": a name that somebody mistook for a bridge's must not count as ready */
} BridgeLink;

/* A link that does not exist is no error: ret->ifindex is 0. Negative errno for everything else. */
int bridge_link_query(const char *bridge, BridgeLink *ret);

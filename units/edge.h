#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The edge: the one function by which a bridge becomes ready, called by hook and agent alike.
 *
 * Under the bridge's lock: look at the link; write the marker; unless this incarnation was handled,
 * reset failed units and queue the start of ctvirt-network@NETWORK.target (what other services wait
 * for) and of ctvirt-autostart@BRIDGE.target (our containers); only then record the incarnation as
 * handled. A crash in between makes the next witness do it again, which is harmless; a second
 * witness finds it done.
 *
 * The end goes the same way back: the record says that the life has ended; the marker goes; the
 * targets are stopped; the record goes. Who finds such a record finishes what it says.
 */

#include "base/macro.h"
#include "units/bridge_marker.h"

/* How orders reach PID 1. No function waits for a job. Negative errno. Where a road is asked for,
 * NULL means that there is none. */
typedef struct EdgeRoad {
        /* Names of systemd-nspawn@ units, see UNIT_LIST_TO_RESET; may be NULL in *ret. May wait for
         * PID 1's answer as long as the caller can afford; -ETIMEDOUT then, and the edge goes on. */
        int (*list_to_reset)(void *userdata, char ***ret);
        int (*reset_failed)(void *userdata, const char *unit);
        /* Both take at least one unit, and send the orders in this order on one connection: when
         * the last one has succeeded, so have the others. */
        int (*start)(void *userdata, char *const *units);
        int (*stop)(void *userdata, char *const *units);
        void *userdata;
} EdgeRoad;

typedef struct EdgeRequest {
        const char *bridge;
        const char *network; /* NULL: a bridge that libvirt does not manage */
        const Uuid *uuid;    /* of the network; NULL if unknown */
        Witness witness;
} EdgeRequest;

typedef enum EdgeOutcome {
        EDGE_NOT_READY, /* no link, or not up: nothing was written */
        EDGE_HANDLED,   /* the incarnation was handled before; the marker is there */
        EDGE_MADE,      /* this call queued the start */
} EdgeOutcome;

/*
 * lock_wait_usec: how long to wait for the bridge's lock; 0 never waits. -EWOULDBLOCK: somebody
 * else is at it, call again later. Other errors: what failed first (marker, road, record); the next
 * call tries again. Without a road the marker is written; -ENOTCONN if a start had to be queued.
 */
int bridge_edge(int run_fd, const EdgeRequest *request, const EdgeRoad *road,
                uint64_t lock_wait_usec, EdgeOutcome *ret);

/* The network stopped, or the link is gone: marker and record are removed and the targets of bridge
 * and network stopped; systemd passes that on to the containers whose policy says so, others are
 * left alone. network: the one that stopped, NULL if all have, as far as is known. Same lock, same
 * errors; 1 if there was a marker. Without a road, or when it fails, the record stays, with
 * BRIDGE_ENDED in it, if there is room for it.
 *
 * A bridge of the host can have several networks. As long as others are on record, only the target
 * of the one that stopped is stopped, and the bridge stays ready: 0. */
int bridge_gone(int run_fd, const char *bridge, const char *network, const EdgeRoad *road,
                uint64_t lock_wait_usec);

/* For news that may be old, as that of a link's end: like bridge_gone(), but nothing is done (0)
 * when the marker is one of another incarnation than ifindex. ifindex 0: there was a record and no
 * marker; nothing is done unless that is still so. */
int bridge_incarnation_gone(int run_fd, const char *bridge, unsigned ifindex, const EdgeRoad *road,
                            uint64_t lock_wait_usec);

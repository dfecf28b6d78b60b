#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pid1: a connection to systemd's private socket (/run/systemd/private, root only), over which a
 * job can be queued without waiting for the answer: the message is carried out even after the
 * sender has gone, and no bus daemon is needed. On the system bus the same message is refused.
 */

#include "base/macro.h"
#include "units/edge.h"

typedef struct Pid1 Pid1;

/* Connects without waiting: authentication goes on when the road is used, and so does connecting
 * when PID 1 cannot take it now. -ENOENT when systemd is not there. deadline_usec (CLOCK_MONOTONIC)
 * is when the functions of the road give up. */
int pid1_connect(uint64_t deadline_usec, Pid1 **ret);

/*
 * The road for bridge_edge(). -ETIMEDOUT when PID 1 does not answer in time (a long daemon-reload),
 * -ECONNREFUSED and the like when it did not come back in time from executing itself anew.
 *
 * An order has succeeded when PID 1 has taken the message out of the socket, which is when it
 * begins to carry it out. Closing earlier is not safe: the next signal that a busy PID 1 sends to
 * the closed connection makes it drop the connection, and with it what it has not read yet.
 */
EdgeRoad pid1_road(Pid1 *pid1);

Pid1 *pid1_free(Pid1 *pid1);
DEFINE_CLEANUP(Pid1 *, pid1_free)

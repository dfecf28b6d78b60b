#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pid1: a connection to systemd's private socket (/run/systemd/private, root only), over which a job
 * can be queued without waiting for the answer: the message is carried out even after the sender has
 * gone, and no bus daemon is needed. On the system bus the same message is refused.
 */

#include "base/macro.h"
#include "units/edge.h"

typedef struct Pid1 Pid1;

/* Connects and authenticates, waiting at most until deadline_usec (CLOCK_MONOTONIC). -ETIMEDOUT when
 * PID 1 does not answer (a long daemon-reload), -ENOENT/-ECONNREFUSED when systemd is not there. */
int pid1_connect(uint64_t deadline_usec, Pid1 **ret);

/* For the EdgeRoad: order functions send and flush; list_failed waits until the deadline. */
EdgeRoad pid1_road(Pid1 *pid1);

Pid1 *pid1_free(Pid1 *pid1);
DEFINE_CLEANUP(Pid1 *, pid1_free)

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pid1Line: orders to PID 1 for a process that must not wait, over systemd's private socket (as
 * units/pid1.h, which waits). The connection is made when it is needed, and closed when it has been
 * idle for a second: PID 1 sends every signal it has to each private connection.
 *
 * Why not the system bus: the line works without a bus daemon, and orders on one connection are
 * carried out in their order, so that the stop of a bridge's old life never overtakes the start of
 * its new one.
 */

#include <systemd/sd-event.h>

#include "units/edge.h"

typedef struct Pid1Line Pid1Line;

/* Something that a caller waits for may have happened: look again. Called from the event loop. */
typedef void (*Pid1LineHandler)(void *userdata);

int pid1_line_new(sd_event *event, Pid1LineHandler handler, void *userdata, Pid1Line **ret);

/*
 * 1: orders can be given, and the names of units to reset are known, or PID 1 did not say them within
 * 2 s and the edge goes on without. 0: not yet, the handler will be called. Negative errno: the
 * connection cannot be made.
 */
int pid1_line_prepare(Pid1Line *l);

/*
 * The road for bridge_edge() and bridge_gone(). start and stop return -EINPROGRESS until PID 1 has
 * confirmed that the jobs are queued (the handler is called then) and 0 once after that; so what is
 * recorded is true even if PID 1 or the agent dies in between. -EREMOTEIO: PID 1 refused the last
 * one; that it refused another is a line in the journal. reset_failed is sent and not waited for.
 */
EdgeRoad pid1_line_road(Pid1Line *l);

/* Orders that are under way or confirmed and have this last unit are not ours any more (the bridge
 * has gone, or is there again). */
void pid1_line_forget(Pid1Line *l, const char *unit);

Pid1Line *pid1_line_free(Pid1Line *l);
DEFINE_CLEANUP(Pid1Line *, pid1_line_free)

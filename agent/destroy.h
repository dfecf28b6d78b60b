#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Destroy: a container's end without asking it.
 *
 * Its PID 1 is killed, not systemd-nspawn, so that nspawn can still clean up behind it. Only when
 * that does not help, all of its processes are.
 */

#include "agent/request.h"

/* A RequestStep; answered when the unit is down. */
void lifecycle_destroy(Request *request);

/* After an end that nspawn did not live to see: takes away the mount that would make its next start
 * fail ("Mount point '/run/systemd/nspawn/unix-export/NAME' exists already, refusing."). */
void destroy_clean_up(Manager *m, const char *container);

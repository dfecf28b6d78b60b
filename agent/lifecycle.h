#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Start, shutdown, destroy, reboot: each a RequestStep that is entered when the caller may do it,
 * and goes on with systemd's answers.
 */

#include "agent/request.h"

void lifecycle_start(Request *request);    /* answered when the unit is up, or why it is not */
void lifecycle_shutdown(Request *request); /* answered when the job is queued */
void lifecycle_destroy(Request *request);  /* answered when the unit is down */
void lifecycle_reboot(Request *request);   /* answered when the container has been told */

/* What a container waits for, bridges and networks that are not ready; owned by the caller. */
int lifecycle_waiting_for(const Container *c, char ***ret);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Start, shutdown, reboot (destroy.h has destroy): each a RequestStep that is entered when the
 * caller may do it, and goes on with systemd's answers.
 */

#include "agent/request.h"
#include "xml/container_def.h"

/* The request's container; NULL if it is gone, and the request was answered. */
Container *lifecycle_container(Request *request);
/* Takes the step if the container runs, or if systemd says so and we have not heard of it yet. If it
 * is down and a start is queued, as behind the stop of its last life, that is called off; otherwise
 * the request is answered with "Container is not running". */
void lifecycle_stop_by(Request *request, RequestStep stop);

void lifecycle_start(Request *request);    /* answered when the unit is up, or why it is not */
void lifecycle_shutdown(Request *request); /* answered when the job is queued */
void lifecycle_reboot(Request *request);   /* answered when the container has been told */

/* What a container waits for, bridges and networks that are not ready; owned by the caller. */
int lifecycle_waiting_for(const Container *c, char ***ret);

/* -EBUSY, and a sentence about the first of them, if it waits for any. */
int lifecycle_check_networks(const Container *c, Error **err);

/* Whether the tree is there, where the definition says or else where nspawn looks for it. */
bool lifecycle_has_root(const ContainerDef *def);

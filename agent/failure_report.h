#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Telling of a unit that has failed: in the container's last failure (list, dominfo, domstate), in
 * the event, in the journal, and to those whose start request it was. For a failed start the cause
 * is asked for first, see failure_cause.h; that takes some milliseconds, a second at most.
 */

#include "agent/manager.h"

/* The Manager's FailureCause handler and its userdata. */
void failure_report_on_line(uint64_t cookie, const char *line, void *userdata);

/* The container's unit has failed. With `news` the event and the line in the journal follow when
 * the cause is known; without (it was found like that) only its last failure is set. */
void failure_report_begin(Container *c, bool news);

/* It is being started again: what is still to be told is told now, without the cause. */
void failure_report_hurry(Container *c);

/* Goes on with `then` when the container's failure has been told; at once if there is none. */
void failure_report_wait(Request *request, const Container *c, RequestStep then);

/* The bus has gone and with it all answers that were waited for. */
void failure_report_bus_gone(Manager *m);

/* "unit systemd-nspawn@web.service failed: CAUSE"; owned by the caller, NULL: no memory. */
char *failure_report_sentence(const Container *c);

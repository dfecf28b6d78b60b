#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Admission: whose a new request is, and whether he has too much under way already. A user who
 * sends more than anybody needs is told LimitsExceeded, so that he neither makes the agent grow nor
 * root wait. Of root's own requests there may be many.
 *
 * The bus is asked once for each sender (as long as the SenderCache knows it), and what it says holds
 * for all requests of that sender. So a user's flood is refused at once, with few requests to look
 * through.
 */

#include "agent/request.h"

/* Before a request is made: 1 if the sender was told that he has too many; 0 if he has not. */
int admission_refuse(Manager *m, sd_bus_message *message);

/* For a request that has been admitted and needs another right as well: goes on with next, or answers
 * it. */
void admission_ask_also(Request *request, const char *action, RequestStep next);

/* Goes on with request->next, for an action after polkit_authorize(); or answers the request. */
void admission_begin(Request *request);

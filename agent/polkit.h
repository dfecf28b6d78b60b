#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * May the sender of this call do what it asks for? Root may, whether polkitd is there or not; for
 * everybody else polkit decides, and may ask a person for a password if the caller allows that.
 * Nothing here waits: not for the bus daemon, not for polkitd, not for the person.
 */

#include "agent/request.h"

/* Goes on with request->next, or answers the request with AccessDenied or
 * InteractiveAuthorizationRequired. */
void polkit_authorize(Request *request, const char *action);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * May the sender of this call do what it asks for? Root may, whether polkitd is there or not, and
 * does not come here; for everybody else polkit decides, and may ask a person for a password if the
 * caller allows that. Nothing here waits: not for polkitd, not for the person.
 *
 * A user's own polkit agent need not ever answer. So a question ends after some minutes or when the
 * caller leaves, and a user has but a few of them.
 */

#include "agent/request.h"

/* For request->action. Goes on with request->next, or answers the request with AccessDenied,
 * InteractiveAuthorizationRequired or LimitsExceeded. */
void polkit_authorize(Request *request);

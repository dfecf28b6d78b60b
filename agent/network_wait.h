#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Questions about networks that come before libvirt has listed them: they wait for the list for a
 * moment, and are refused then. No list is not an empty one.
 */

#include "agent/manager.h"

/* A step: next is called when the networks are known, which they mostly are already. */
void network_wait(Request *request, RequestStep next);

/* Goes on with those that wait. */
void network_wait_listed(Manager *m);

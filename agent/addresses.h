#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GetAddresses(): the addresses of a container, as DHCP gave them ("lease", by the MAC addresses of
 * its interfaces) or as it has them ("agent", read by systemd-machined in its network namespace).
 */

#include "agent/request.h"

/* A RequestStep; request->text is the source. */
void addresses_get(Request *request);

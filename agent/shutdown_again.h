#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Shutdown, said more than once: systemd-nspawn tells its container's PID 1 to halt by one signal,
 * and one that has only just been started does not take it yet; the stop would then last until
 * systemd kills the unit.
 */

#include "agent/container.h"

/* To be called when the stop has been ordered. Only for containers that boot an init. */
void shutdown_again_start(Container *c);

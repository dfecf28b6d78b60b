#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What `systemctl status ctvirtd` shows of the agent (sd_notify(3), STATUS=).
 */

#include "agent/manager.h"

/* One line, owned by the caller; NULL: no memory. */
char *status_text(const Manager *m);

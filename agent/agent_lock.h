#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lock on CTVIRT_AGENT_PID_FILE: held as long as an agent lives, whatever state it is in. The
 * hook asks for it to know whether somebody will finish what it cannot.
 */

#include "base/macro.h"

/* Takes the lock below the directory fd of CTVIRT_RUN_DIR and writes our process id into the file.
 * Returns the fd that holds it; it ends with the process. -EWOULDBLOCK: another agent is alive. */
int agent_lock_take(int run_fd);

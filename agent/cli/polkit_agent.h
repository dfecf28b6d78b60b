#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolkitAgent: the child that asks for a password on the terminal when polkit wants one, as virsh
 * does it: pkttyagent(1), used only if no other agent (of a desktop) is there.
 */

#include <sys/types.h>

#include "base/macro.h"

typedef struct PolkitAgent {
        pid_t pid; /* 0: not running */
        bool tried;
} PolkitAgent;

/* Starts it once and waits until it is registered; does nothing for root and without a terminal.
 * A failure is none: polkit will refuse then, and its answer is the better message. */
void polkit_agent_start(PolkitAgent *a);
void polkit_agent_stop(PolkitAgent *a);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * StartProof: a start that the hook has ordered, and has on record as ordered, is seen to have
 * happened. The hook does not wait for PID 1's answer, and would not hear that it was refused, as
 * where SELinux lets libvirt's programs start no units.
 */

#include "agent/manager.h"

/* The hook has made the edge of this life of the bridge. A second later ctvirt-bridge@BRIDGE.target is
 * asked for; if it neither is active nor has a job, the life counts as not handled, and the next
 * look makes the edge. -ENOMEM and errors of timers: it is not looked at. */
int start_proof_begin(Manager *m, const char *bridge, unsigned ifindex);

/* That life has ended. */
void start_proof_cancel(Manager *m, const char *bridge);

void start_proofs_free(Manager *m);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The definition of a snapshot, which a revert brings back together with the root, as libvirt does.
 * What others know the container by stays: its UUID, the MAC addresses of the interfaces that it has,
 * its range of ids. The job exchanges the root and leaves a note in the pool (pool_intent.h) that the
 * definition is to follow; the agent does that when the job is over, or when it finds the note after
 * a crash.
 */

#include "agent/manager.h"
#include "agent/pool/snapshot.h"

/* What speaks against it, before anything is done. */
int revert_check(const Manager *m, const Container *c, const Snapshot *s, Error **err);

/* The job is over: if the root is that of the snapshot the definition follows. The note goes,
 * whatever comes of it. */
int revert_finish(Manager *m, const char *id, Error **err);

/* The same for all jobs that are no more. */
void revert_recover(Manager *m);

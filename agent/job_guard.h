#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What speaks against a job before it begins: names that are none, containers that run. Each gives
 * a sentence, and an errno of agent/bus_errors.h. Whether another job is at work on the same volume
 * is asked by job_begin().
 */

#include "agent/manager.h"

/* The name of a volume or of a container to be. */
int guard_name(const char *name, Error **err);

/* The volume is not the root of a container that runs; doing: "deleted", "replaced", … */
int guard_not_running(const Manager *m, const char *name, const char *doing, Error **err);

/* The volume is there. */
int guard_volume(const Manager *m, const char *name, Error **err);

/* Nothing has the name: no volume, no container; and no job is making one. */
int guard_name_is_free(const Manager *m, const char *name, Error **err);

/* The container was defined with ctvirt, and its root is in the pool. */
int guard_defined(const Container *c, Error **err);

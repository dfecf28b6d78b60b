#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What speaks against an import, as soon as the bundle has said what it is: an answer after
 * gigabytes were unpacked helps nobody. The agent looks again when it defines the container.
 */

#include "agent/bootstrap/job_run_parts.h"

/* Nothing that is defined on this host has the name, or (with JOB_MOVED, which keeps it) the UUID.
 * -EEXIST, with what to do. */
int import_check_defined(const JobWork *w, const ContainerDef *def, Error **err);

/* No other job is at work on the name, which the bundle has given. From now on this one is. */
int import_check_busy(const JobWork *w, const char *name, Error **err);

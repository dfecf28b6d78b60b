#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the unit of a job may do: the least that its kind needs.
 */

#include <systemd/sd-bus.h>

#include "agent/bootstrap/job_spec.h"

/* Appends "(sv)" entries to the open array of StartTransientUnit(). */
int job_sandbox_append(sd_bus_message *m, const JobSpec *spec);

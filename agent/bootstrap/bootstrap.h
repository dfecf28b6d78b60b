#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a definition to a root that can be booted: source or base, first boot, publish.
 */

#include "agent/bootstrap/job_report.h"
#include "agent/pool/pool.h"
#include "xml/container_def.h"

/* Makes the root of def in the pool, as job id. A base with the same key is used if there is one
 * and def allows it, and is kept if not. -EEXIST: the name is taken and replace is false;
 * -ECANCELED; else the error names the step, the tool's last lines and what to try. */
int bootstrap_run(const Pool *pool, const ContainerDef *def, const char *id, bool replace,
                  const JobReport *report, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A definition that a job brings, and not a caller of the bus: what Define would answer goes to the
 * journal, and who follows the containers is told.
 */

#include "agent/manager.h"

/* file_name: what the document is called in errors. ret_warnings: NULL, or the sentences that were
 * logged, for whoever has asked for the job; the caller's. Errors: those of define_container(). */
int define_job(Manager *m, const char *xml, size_t size, const char *file_name,
               char ***ret_warnings, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The RELAX NG schema of a definition, installed as CTVIRT_DATADIR/schemas/container.rng.
 */

#include "base/error.h"
#include "xml/xml_compat.h"

/* -EINVAL with the line of the first mismatch; another error if the schema cannot be read. */
int container_schema_validate(xmlDoc *doc, const char *file, Error **err);

/* For tests: reads the schema from another path (not copied; NULL: the installed one). Not to be
 * called while another thread validates. */
void container_schema_set_path(const char *path);

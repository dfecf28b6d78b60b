#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the source of a BootstrapDef is, by type.
 */

#include "xml/bootstrap_def.h"
#include "xml/own_values.h"

typedef struct BootstrapSource {
        const char *attribute; /* of <ct:source> */
        const ValueKind *kind;
} BootstrapSource;

/* NULL: a recipe says it all (apt, dnf). */
const BootstrapSource *bootstrap_source_of(BootstrapType t);

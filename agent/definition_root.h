#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether a container may have the root that its definition names: files are written into it, and
 * its owner may be somebody else.
 */

#include "agent/manager.h"

/* -EEXIST with a sentence: it is the host's, or is, contains or lies in another container's. */
int definition_root_check(const Manager *m, const ContainerDef *def, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which containers' units are enabled, by the symlinks that systemctl enable makes.
 */

#include "units/unit_files.h"

/* As enabled_containers_load() of unit_bridges.h, with the unit files read before. */
int enabled_containers_list(const UnitFiles *f, char ***ret);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Enabling and disabling units of a root tree that is not booted, by their [Install] sections:
 * the symlinks that systemctl(1) would make below /etc/systemd/system.
 */

#include "agent/bootstrap/root_tree.h"

/* True if the tree has the unit. */
bool root_unit_exists(const RootTree *t, const char *unit);

/* Also what Also= names. A unit that the tree does not have is left out. */
int root_unit_enable(const RootTree *t, const char *unit, Error **err);
int root_unit_disable(const RootTree *t, const char *unit, Error **err);

/* Nothing can start it. */
int root_unit_mask(const RootTree *t, const char *unit, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The containers that a bridge's autostart target starts: a drop-in of the target with one Wants=
 * line a unit, written by the generator and read by the edge. It means the same as a .wants folder
 * with a symlink for each unit, and is much less work for the generator and for systemd.
 */

#include "base/macro.h"

/* What is to be written: a list of targets. NULL is the empty one. */
typedef struct WantedUnits WantedUnits;

int wanted_units_add(WantedUnits **w, const char *bridge, const char *unit);

/* Writes the drop-ins into a unit folder. Nothing can be added afterwards. */
int wanted_units_write(WantedUnits *w, int folder_fd);

WantedUnits *wanted_units_free(WantedUnits *w);
DEFINE_CLEANUP(WantedUnits *, wanted_units_free)

/* Whether the bridge's target wants a unit. folder: the unit folder, relative to dir_fd. */
bool wanted_units_exist(int dir_fd, const char *folder, const char *bridge);

/* The units' names, sorted; NULL in *ret: none. */
int wanted_units_read(int dir_fd, const char *folder, const char *bridge, char ***ret);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The names of the units that ctvirt deals with.
 */

#include "base/macro.h"

#define MACHINES_TARGET "machines.target"
#define CONTAINER_UNIT_TEMPLATE "systemd-nspawn@.service"

typedef enum BridgeTarget {
        BRIDGE_TARGET_READY,     /* ctvirt-bridge@BRIDGE.target */
        BRIDGE_TARGET_AUTOSTART, /* ctvirt-autostart@BRIDGE.target */
} BridgeTarget;

/* "systemd-nspawn@NAME.service", owned by the caller. NULL when memory is short. The name has
 * passed container_name_is_valid(), so it needs no escaping (machinectl(1) "enable" does the same).
 */
char *container_unit_name(const char *container);

/* The container of a systemd-nspawn@ unit, owned by the caller. -EINVAL if the unit is none, or if
 * its instance is not a container name. */
int container_from_unit(const char *unit, char **ret);

/* "ctvirt-bridge@virbr0.target". A bridge name's characters that a unit name may have stand as they
 * are (so that people can write br-lan), all others as \xNN, a backslash too. NULL: no memory. */
char *bridge_target_name(BridgeTarget target, const char *bridge);

/* "ctvirt-network@default.target", escaped in the same way. systemd has no unit with a name longer
 * than UNIT_NAME_MAX: for such a network there is none. */
char *network_target_name(const char *network);
#define UNIT_NAME_MAX 255

/* The mount unit of /run/systemd/nspawn/unix-export/NAME, which systemd-nspawn 256 and later mounts
 * for a container and takes away at its end. NULL: no memory. */
char *container_export_mount_name(const char *container);

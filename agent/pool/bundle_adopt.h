#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What must not be the same in two containers, when one was made from the other: of an import, and
 * of a clone that gets a definition of its own.
 */

#include "xml/container_def.h"

typedef enum BundleAdoptFlags {
        /* The original is gone: what others know the container by (UUID, MAC addresses, machine
         * ID of its first boot) stays. */
        BUNDLE_ADOPT_MOVED = 1 << 0,
} BundleAdoptFlags;

/*
 * Takes out of a definition what the host that defines it has to choose, so that define does:
 *   <uuid>, <mac>, <ct:machineid>   identity; stays with BUNDLE_ADOPT_MOVED
 *   <idmap>                         its range of user IDs may be another container's here
 *   <ct:hostname>                   that of another one; stays under the same name
 * The <source> of the filesystem "/", if it names one, becomes the container's place in the pool.
 * name (NULL: as it was) is what it is called here. -EINVAL for no valid name, -ENOMEM; the
 * definition is as it was then.
 */
int bundle_adopt(ContainerDef *def, const char *name, BundleAdoptFlags flags);

/*
 * Makes the root that was adopted get a machine ID of its own when it boots: /etc/machine-id is
 * emptied, not removed and not "uninitialized", both of which mean a first boot to systemd, with
 * presets applied over what the administrator has enabled and disabled since (machine-id(5)). A
 * second copy in /var/lib/dbus is removed. Nothing is done to a root that has no such files, or
 * has symlinks in their place. No symlink is followed: -ELOOP, with a sentence.
 */
int bundle_reset_machine_id(int root_fd, Error **err);

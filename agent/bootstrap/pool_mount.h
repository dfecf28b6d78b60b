#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/error.h"

/* Has systemd read the mount unit of the pool, mount it, and do so at each boot. Waits for it. The
 * unit is removed when it cannot be mounted. */
int pool_mount(Error **err);

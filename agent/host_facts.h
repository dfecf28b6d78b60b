#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What has to be known of the host before anything is generated. Asked for once, before the event
 * loop runs.
 */

#include "base/macro.h"

/* The version of the systemd-nspawn that units will run: 252, 257 … -ENOENT: it is not installed.
 */
int host_nspawn_version(unsigned *ret);

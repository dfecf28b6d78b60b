#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The description of a base (agent/api.h) has each fact of it, hundreds of letters; its title is
 * what somebody looks for in a list.
 */

#include "base/macro.h"

/* "debian bookworm amd64, 12 packages", or "tar /srv/web.tar", or the description itself if it says
 * neither. Owned. -ENOMEM. */
int base_title(const char *description, char **ret);

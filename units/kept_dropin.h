#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The drop-in of a container that runs and is not defined any more: a daemon-reload would take its
 * limits away at once. It is kept below /run until the container has ended:
 *
 *   /run/systemd/system/systemd-nspawn@NAME.service.d/50-ctvirt.conf
 *
 * While there is one of that name in /etc, that one counts (systemd.unit(5)), so that a container
 * which is defined anew has what its new definition says.
 */

#include "base/strv.h"

/* Before the one in /etc is removed. host_root: "" on a host. 1: it is kept; 0: there is none that
 * ctvirt has made. */
int kept_dropin_add(const char *host_root, const char *container);

/* 1: there was one, and systemd has to reload; 0: there was none. */
int kept_dropin_remove(const char *host_root, const char *container);

/* The containers that have one. */
int kept_dropin_list(const char *host_root, char ***ret);

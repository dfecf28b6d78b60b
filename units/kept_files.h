#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The files of a container that runs and is not defined any more, kept below /run until it has ended:
 *
 *   /run/systemd/system/systemd-nspawn@NAME.service.d/50-ctvirt.conf
 *   /run/systemd/nspawn/NAME.nspawn
 *
 * A daemon-reload would take its limits away at once, and without the other nobody would know which
 * bridges its links belong on. While there is one of that name in /etc, that one counts
 * (systemd.unit(5), systemd.nspawn(5)), so that a container which is defined anew has what its new
 * definition says.
 */

#include "base/strv.h"

/* Before those in /etc are removed. host_root: "" on a host. 1: some are kept; 0: there are none that
 * ctvirt has made. */
int kept_files_add(const char *host_root, const char *container);

/* 1: there was a drop-in, and systemd has to reload; 0: there was none. */
int kept_files_remove(const char *host_root, const char *container);

/* The containers that have some. */
int kept_files_list(const char *host_root, char ***ret);

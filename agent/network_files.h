#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NetworkFiles: watches the files that libvirt keeps of its active networks,
 * /run/libvirt/network/NAME.xml. libvirt sends no event for a network that it starts by itself (at
 * its start, or on SIGHUP), and for one on a host's own bridge no link changes either; but there is
 * always a file. A file that says other than what we know makes us ask libvirt.
 */

#include "agent/manager.h"

typedef struct NetworkFiles NetworkFiles;

int network_files_new(Manager *m, NetworkFiles **ret);

/* libvirt has just given its list of networks: so its folder is there, if it was not before. */
void network_files_on_list(NetworkFiles *f);

NetworkFiles *network_files_free(NetworkFiles *f);
DEFINE_CLEANUP(NetworkFiles *, network_files_free)

/* Whether the files in the folder and the networks disagree on which are active. A folder that
 * cannot be read disagrees with nothing. */
bool network_files_differ(const char *folder, const NetworkTable *networks);

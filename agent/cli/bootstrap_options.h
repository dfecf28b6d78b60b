#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bootstrapping from the command line: for the verbs bootstrap and define --bootstrap.
 */

#include "agent/cli/bus.h"

/* Makes the root as the options of the command say (if it has them), and waits unless --detach was
 * given: 1 then, 0 when it is done. Prints what went wrong. */
int bootstrap_container(Cli *cli, const Command *command, const BusObject *container);

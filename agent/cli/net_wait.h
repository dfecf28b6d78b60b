#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The verb net-wait: <network>... and --timeout.
 */

#include "agent/cli/cli.h"

int cmd_net_wait(Cli *cli, const Command *command);

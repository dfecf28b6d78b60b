#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The verb list: which containers, in which order, in which form.
 */

#include "agent/cli/command.h"

extern const OptionDef list_options[];

int cmd_list(Cli *cli, const Command *command);

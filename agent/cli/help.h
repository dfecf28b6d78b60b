#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The help texts, made from the tables of verbs.
 */

#include "agent/cli/command.h"
#include "agent/cli/output.h"

/* `help VERB`: NAME, SYNOPSIS, DESCRIPTION, OPTIONS. */
void help_verb(Output *o, const VerbDef *verb);

/* `help GROUP`, and `help` for all of them. */
void help_group(Output *o, const VerbGroup *group);
void help_groups(Output *o, const VerbGroup *groups);

/* `ctvirt --help`. */
void help_usage(Output *o, const VerbGroup *groups);

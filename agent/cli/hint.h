#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What somebody may have meant who typed a command that there is not: one of virsh's that is done
 * otherwise here, or one of ours with a slip of the fingers.
 */

#include "agent/cli/command.h"

/* A sentence for the second line of the error, owned; NULL in *ret: nothing comes near. -ENOMEM. */
int command_hint(const VerbGroup *groups, const char *word, char **ret);

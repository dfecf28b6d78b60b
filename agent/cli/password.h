#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Passwords: only their hash leaves this process.
 */

#include "agent/cli/cli.h"

/* The hash (yescrypt of crypt(5)) of a password, which is asked for twice on the terminal if it is
 * NULL; with encrypted, password is one already. Prints what went wrong. *ret is owned. */
int password_hash(Cli *cli, const char *password, bool encrypted, char **ret);

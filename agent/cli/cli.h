#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Cli: one run of the client: its global options, its output and its connection to the agent.
 */

#include <systemd/sd-bus.h>

#include "agent/cli/command.h"
#include "agent/cli/output.h"
#include "agent/cli/polkit_agent.h"

#define CLI_URI_SYSTEM "ctvirt:///system" /* the agent of this host */

struct Cli {
        Output output;
        const char *uri; /* CLI_URI_SYSTEM unless -c says otherwise */
        sd_bus *bus;     /* NULL until a verb needs it */
        PolkitAgent polkit_agent;
        const char *subject; /* while a line is completed: what its first argument is, or NULL */
};

/* The whole program; returns its exit code. */
int cli_main(int argc, char **argv);

/* Prints what a function without output of its own found wrong; returns its negative errno. */
int cli_print_error(Cli *cli, const Error *err);

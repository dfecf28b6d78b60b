/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "host": the agent and what it talks to.
 */

#include "agent/cli/info.h"
#include "agent/cli/verbs.h"

static int cmd_uri(Cli *cli, const Command *command) {
        output_print(&cli->output, "%s\n", cli->uri);
        return 0;
}

static int cmd_version(Cli *cli, const Command *command) {
        _cleanup_agent_info_ AgentInfo info = { 0 };
        int r;

        r = agent_info_get(cli, &info);
        if (r < 0)
                return r;

        output_print(&cli->output, "Using client: ctvirt %s\n", CTVIRT_VERSION);
        output_print(&cli->output, "Running agent: ctvirtd %s\n", info.version);
        if (*info.libvirt_version)
                output_print(&cli->output, "Using libvirt: %s (%s)\n", info.libvirt_version,
                             info.libvirt_uri);
        else
                output_print(&cli->output, "Using libvirt: not connected (%s)\n", info.libvirt_uri);
        output_print(&cli->output, "Running systemd: %u\n", info.systemd_version);
        return 0;
}

const VerbDef host_verbs[] = {
        { .name = "uri",
          .help = "print the URI of the connection",
          .flags = VERB_NO_CONNECT,
          .run = cmd_uri },
        { .name = "version",
          .help = "show version",
          .description = "Display the versions of client, agent, libvirt and systemd.",
          .run = cmd_version },
        { 0 },
};

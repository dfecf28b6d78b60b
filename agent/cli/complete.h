#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Completion for shells: what can stand for an option's value, and the whole of a line.
 */

#include "agent/cli/command.h"

/* For OptionDef.complete. They print nothing: without an agent there are no words. */
int complete_containers(Cli *cli, char ***words);
int complete_active_containers(Cli *cli, char ***words);
int complete_inactive_containers(Cli *cli, char ***words);
int complete_networks(Cli *cli, char ***words);
int complete_address_sources(Cli *cli, char ***words);
int complete_events(Cli *cli, char ***words);
int complete_jobs(Cli *cli, char ***words);
int complete_pools(Cli *cli, char ***words);
int complete_volumes(Cli *cli, char ***words);
int complete_snapshots(Cli *cli, char ***words); /* of the container that is the first argument */
int complete_bases(Cli *cli, char ***words);
int complete_compressions(Cli *cli, char ***words);
int complete_sources(Cli *cli, char ***words);
int complete_verifications(Cli *cli, char ***words);
int complete_verbs(Cli *cli, char ***words);

/* The words that fit for the last of argv, which are the words behind "ctvirt", global options
 * included; the last may be empty. */
int complete_line(Cli *cli, const VerbGroup *groups, char **argv, int argc, char ***ret);

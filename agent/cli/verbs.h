#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * All verbs of the client, by group.
 */

#include "agent/cli/command.h"

extern const VerbDef domain_verbs[];  /* cmd_domain.c */
extern const VerbDef monitor_verbs[]; /* cmd_monitor.c */
extern const VerbDef event_verbs[];   /* events.c */
extern const VerbDef host_verbs[];    /* cmd_host.c */
extern const VerbDef network_verbs[]; /* cmd_network.c */
extern const VerbDef pool_verbs[];
extern const VerbDef volume_verbs[];
extern const VerbDef snapshot_verbs[];
extern const VerbDef bootstrap_verbs[];
extern const VerbDef job_verbs[];
extern const VerbDef self_verbs[]; /* cmd_self.c */

extern const VerbGroup verb_groups[]; /* ends with a row without a title */

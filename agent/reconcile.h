#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Making the generated files fit the definitions: at the agent's start, after a crash in the middle
 * of anything, and when a person has edited the XML files and sent SIGHUP.
 */

#include "agent/manager.h"

/*
 * Takes the definitions over from disk and writes their files where they differ. Generated files
 * without a definition are what an interrupted undefine leaves: their containers go into
 * m->orphans, for reconcile_orphans(). A definition that cannot be read keeps its files as they
 * are.
 *
 * Returns 1 if systemd has to reload, 0 if not, negative errno when the definitions cannot be read
 * at all; then nothing has been touched.
 */
int reconcile_definitions(Manager *m);

/* Makes generated files again that others have removed (machinectl remove takes the .nspawn file
 * along, systemctl revert the drop-in): without them nspawn would start the container, with nothing
 * of what its definition says. Returns as above; failures are logged. */
int reconcile_lost_files(Manager *m);

/* Disables the units of the orphans that are enabled, and then removes their files; needs m->units.
 * Calls manager_check_ready() for each. */
void reconcile_orphans(Manager *m);

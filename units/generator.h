#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What ctvirt-generator does (systemd.generator(7)): for each enabled systemd-nspawn@ unit that
 * uses bridges, a drop-in with its gates or its ordering, and a line in the drop-in with the wants of
 * ctvirt-autostart@BRIDGE.target for each bridge (wanted_units.h).
 *
 *   bridge that libvirt creates             ConditionPathExists=/run/ctvirt/bridges/BRIDGE
 *   network that a definition names         the same, also when the bridge is the host's
 *   network that libvirt does not know yet  ConditionPathExists=/run/ctvirt/networks/NETWORK
 *   any other bridge                        Wants= and After=network-online.target
 *
 * The drop-in is UNIT.d/50-ctvirt-gate.conf: not 50-ctvirt.conf as in /etc (generated.h), because
 * of two drop-ins with the same name systemd reads only one. Who wants no gate masks it: a symlink
 * to /dev/null of that name in /etc/systemd/system/UNIT.d.
 */

#include "base/strv.h"

typedef struct GeneratorReport {
        size_t n_units;    /* units that got a drop-in */
        char **complaints; /* one sentence each, for the journal: files that were skipped and why */
} GeneratorReport;

/* root as in nspawn_file_load(); output is the "normal" folder that systemd passes. A unit whose
 * files cannot be read is left alone and complained about. Negative errno only when output itself
 * cannot be written. */
int generator_run(const char *root, const char *output, GeneratorReport *ret);

void generator_report_done(GeneratorReport *r);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which bridges a container needs, by whatever way they were said: ctvirt's own [X-ctvirt] section,
 * Bridge= of a .nspawn file written by hand, or --network-bridge= in ExecStart= of the unit or of
 * one of its drop-ins.
 */

#include "base/strv.h"
#include "units/unit_files.h"

typedef struct UnitBridges {
        char **bridges;  /* no duplicates, in the order found */
        char **networks; /* libvirt networks by name ([X-ctvirt] of a generated file only) */
        bool generated;  /* from a file that ctvirt generated; otherwise the container is foreign */
} UnitBridges;

/*
 * Precedence as in nspawn: ExecStart= with --settings=no ignores .nspawn files; with
 * --settings=override (systemd's own unit has it) a file that says anything of the network replaces
 * all that the command line says of it; with --settings=yes, which is also the default, and
 * --settings=trusted it is the other way round, and with trusted every file is trusted. root: as
 * nspawn_file_load(). No bridge at all is no error (ret->bridges is NULL). A file that cannot be
 * read: its errno.
 */
int unit_bridges_load(const char *root, const char *container, UnitBridges *ret);

/* The same with the unit files read before; *err gets a sentence that names the file. */
int unit_bridges_find(const UnitFiles *files, const char *container, UnitBridges *ret, Error **err);

/* The files that say how a foreign container runs, absolute paths without root: its .nspawn file, and
 * the unit file or drop-in that its command line stands in. Systemd's own template is named only
 * when there is nothing else. */
int unit_settings_files(const UnitFiles *files, const char *container, char ***ret);

void unit_bridges_done(UnitBridges *b);
#define _cleanup_unit_bridges_ _cleanup_(unit_bridges_done)

/* Names of all containers whose systemd-nspawn@ unit is enabled: a symlink in a .wants or .requires
 * folder of /etc/systemd/system, /run/systemd/system (enable --runtime),
 * /usr/local/lib/systemd/system or /usr/lib/systemd/system; sorted, without duplicates; masked
 * units left out. */
int enabled_containers_load(const char *root, char ***ret);

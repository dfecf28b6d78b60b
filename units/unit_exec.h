#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UnitExec: what the command line of a systemd-nspawn@ unit (ExecStart=) says of the network and of
 * .nspawn files. Found also when nspawn is called from within a shell script in the command line.
 */

#include "base/macro.h"

typedef enum SettingsMode {
        SETTINGS_YES,      /* nspawn's default: the command line wins over a .nspawn file */
        SETTINGS_NO,       /* .nspawn files are not read */
        SETTINGS_OVERRIDE, /* a .nspawn file wins; systemd's own unit has this */
        SETTINGS_TRUSTED,  /* as yes, and a file beside the image is as good as one in /etc */
} SettingsMode;

typedef struct UnitExec {
        SettingsMode settings;
        bool has_network; /* any option about the network */
        char *bridge;     /* --network-bridge=; NULL: none, or a name that nspawn would refuse */
        bool specific;    /* the container's name may have had a part in it */
} UnitExec;

/* Reads the value of one ExecStart= assignment and adds what it says; an empty one resets. -EINVAL:
 * its quotes are not closed, systemd ignores it as a whole. */
int unit_exec_add(UnitExec *e, const char *command, const char *container);

void unit_exec_done(UnitExec *e);
#define _cleanup_unit_exec_ _cleanup_(unit_exec_done)

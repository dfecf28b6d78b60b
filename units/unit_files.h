#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UnitFiles: the unit files and drop-ins of systemd-nspawn@.service on disk. What all containers
 * share (the folders' lists, the template and its drop-ins) is read once, so that looking at a
 * thousand containers costs little more than at one.
 */

#include "base/error.h"
#include "base/strv.h"
#include "units/unit_exec.h"

/* Where unit files, drop-ins and the symlinks of enabled units are, highest priority first
 * (systemd.unit(5)). The folders in between belong to systemctl set-property and to generators. */
#define N_UNIT_FOLDERS 4
extern const char *const unit_folders[N_UNIT_FOLDERS];

typedef struct UnitFiles UnitFiles;

/* root is put before all paths ("" on a host). A template that cannot be read is no error here but
 * in unit_files_exec(). */
int unit_files_load(const char *root, UnitFiles **ret);

const char *unit_files_root(const UnitFiles *f);

/* The file that systemd would load for the container's unit, an absolute path without root: that of
 * the instance, or the template. -ENOENT: neither; -ERFKILL: masked. */
int unit_files_fragment(const UnitFiles *f, const char *container, char **ret);

/* The command line that the unit and its drop-ins add up to. Without a unit file: that of systemd's
 * own template. Errors as read, with the file in *err. */
int unit_files_exec(const UnitFiles *f, const char *container, UnitExec *ret, Error **err);

/* The same; *ret_source: the file that the last command line stands in, an absolute path without
 * root; NULL: there is none. */
int unit_files_exec_source(const UnitFiles *f, const char *container, UnitExec *ret,
                           char **ret_source, Error **err);

UnitFiles *unit_files_free(UnitFiles *f);
DEFINE_CLEANUP(UnitFiles *, unit_files_free)

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a root is told before it boots for the first time, without booting it. The root is
 * somebody else's: its symlinks, fifos and devices are an attack, nothing outside of it is
 * reached, and files that are written belong to whom the tree belongs.
 */

#include "agent/bootstrap/job_report.h"
#include "xml/container_def.h"

typedef struct FirstBootPlan {
        const ContainerDef *def; /* its first_boot may be NULL: defaults only */
        bool own_network;        /* system container; false: it shares the host's (guide 2.2) */
        int uid_shift;           /* what the tree's id 0 is on disk, mostly 0 */
} FirstBootPlan;

/* Everything that a distribution's root of its own does not have right for a container. Each
 * setting is safe to repeat. *ret_warnings (may be NULL): sentences about what could not be done
 * and does not stop a boot (locale that is not installed, …). */
int first_boot_apply(int root_fd, const FirstBootPlan *plan, char ***ret_warnings, Error **err);

/* The same in a disk image: path, absolute. One that cannot be mounted, or not be written to, keeps
 * what it has, and a warning says what it was not told. -ECANCELED */
int first_boot_apply_image(const char *path, const FirstBootPlan *plan, const JobReport *report,
                           char ***ret_warnings, Error **err);

/* That sentence; why: the reason. */
int first_boot_warn_image(const ContainerDef *def, const char *why, char ***warnings);

/* The host name alone, of an existing root. */
int first_boot_set_hostname(int root_fd, const char *name, Error **err);

/* The password of one user of an existing root: /etc/shadow is replaced in one step, with owner,
 * mode and SELinux label as they were. -ENOENT: no such user. */
int first_boot_set_password(int root_fd, const char *user, const char *hash, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a root is told before it boots for the first time, without booting it. The root is
 * somebody else's: its symlinks, fifos and devices are an attack, nothing outside of it is
 * reached, and files that are written belong to whom the tree belongs.
 */

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

/* Of a root that is a disk image, which is not opened: a sentence about what of the definition it was
 * not told. 0 also if there is nothing. */
int first_boot_warn_image(const ContainerDef *def, char ***warnings);

/* The password of one user of an existing root: /etc/shadow is replaced in one step, with owner,
 * mode and SELinux label as they were. -ENOENT: no such user. */
int first_boot_set_password(int root_fd, const char *user, const char *hash, Error **err);

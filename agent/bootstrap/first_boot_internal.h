#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the parts of first_boot_apply() share. Each part is one subject; all of them can be repeated.
 */

#include "agent/bootstrap/first_boot.h"
#include "agent/bootstrap/root_tree.h"

typedef struct FirstBoot {
        RootTree tree;
        const FirstBootPlan *plan;
        const FirstBootDef *def; /* never NULL */
        char **warnings;
        Error **err;
} FirstBoot;

/* Both say what could not be done, as an error, and return 0 or a negative errno. */
int first_boot_write(FirstBoot *f, const char *path, const char *content);
int first_boot_link(FirstBoot *f, const char *path, const char *target);

/* One more sentence about what stops nothing. -ENOMEM. */
int first_boot_warn(FirstBoot *f, const char *format, ...) _printf_(2, 3);

int first_boot_names(FirstBoot *f);    /* host name, machine id, locale, keymap, time zone */
int first_boot_password(FirstBoot *f); /* of root */
int first_boot_ssh_keys(FirstBoot *f);
int first_boot_network(FirstBoot *f); /* networkd, resolved, resolv.conf, search domains */
int first_boot_system(FirstBoot *f);  /* units that make no sense inside, the login prompt */
int first_boot_rpm(FirstBoot *f);

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an init in a container stumbles over, and the login prompt. */

#include "agent/bootstrap/first_boot_internal.h"
#include "agent/bootstrap/root_units.h"
#include "units/generated.h"

#define CONSOLE_GETTY "/etc/systemd/system/console-getty.service"

/* systemd-getty-generator starts console-getty.service by itself in a container. */
static int check_login_prompt(FirstBoot *f) {
        static const char *const paths[] = { "/sbin/agetty", "/usr/sbin/agetty",
                                             "/usr/bin/agetty" };
        _cleanup_free_ char *target = NULL;
        int r = 0;

        if (root_tree_read_link(&f->tree, CONSOLE_GETTY, &target) >= 0 &&
            streq(target, "/dev/null"))
                r = root_tree_remove(&f->tree, CONSOLE_GETTY);
        if (r < 0)
                return root_tree_error(f->err, r, "remove", CONSOLE_GETTY);
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (root_tree_exists(&f->tree, paths[i]))
                        return 0;
        return first_boot_warn(f, "There is no agetty in the root tree (package util-linux), so "
                                  "its console has no login prompt");
}

/* The mount fails in a container, and would be the one failed unit of each boot (guide 4.2). With a
 * machine id that is made at the first boot, systemd-firstboot would ask questions on the console. */
int first_boot_system(FirstBoot *f) {
        int r = 0;

        if (!root_tree_exists(&f->tree, "/usr/lib/systemd/systemd") &&
            !root_tree_exists(&f->tree, "/lib/systemd/systemd"))
                return 0;
        if (root_unit_exists(&f->tree, "dev-hugepages.mount"))
                r = root_unit_mask(&f->tree, "dev-hugepages.mount", f->err);
        if (r >= 0 && streq_ptr(f->def->machine_id, "uninitialized"))
                r = root_unit_mask(&f->tree, "systemd-firstboot.service", f->err);
        if (r < 0 || !generated_boots_init(f->plan->def))
                return r;
        return check_login_prompt(f);
}

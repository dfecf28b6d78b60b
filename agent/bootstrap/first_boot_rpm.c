/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/first_boot_internal.h"
#include "agent/bootstrap/rpm_database.h"

#define NETSHARED "/etc/rpm/macros.netshared"

/* nspawn mounts both read-only, so packages that have a file there cannot be updated (guide 4.3;
 * https://bugzilla.redhat.com/show_bug.cgi?id=1548403). */
int first_boot_rpm(FirstBoot *f) {
        int r;

        if (!root_tree_exists(&f->tree, "/usr/lib/rpm/macros"))
                return 0;
        r = first_boot_write(f, NETSHARED, "%_netsharedpath /sys:/proc\n");
        return r < 0 ? r : rpm_database_move(&f->tree, f->err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/host_facts.h"

DEFINE_CLEANUP(FILE *, pclose)

/* PID 1 would tell its own version over the bus, but there may be no bus yet, and after an upgrade
 * it is another one than that of the program on disk. */
int host_nspawn_version(unsigned *ret) {
        _cleanup_(pclosep) FILE *f = NULL;

        f = popen("exec systemd-nspawn --version 2>/dev/null", "re");
        if (!f)
                return negative_errno();
        return fscanf(f, "systemd %u", ret) == 1 ? 0 : -ENOENT;
}

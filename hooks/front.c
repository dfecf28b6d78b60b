/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * 50-ctvirt: what libvirt runs for every operation of every network, also for each network card of
 * a VM that is plugged (port-created). Static and without work of its own, so that the ops that do
 * not concern us cost one exec of a small program. Always exits 0: libvirt takes a network down
 * whose hook fails.
 */

#include <string.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
        if (argc < 3 || (strcmp(argv[2], "started") != 0 && strcmp(argv[2], "stopped") != 0))
                return 0;

        (void) execv(CTVIRT_NETWORK_HOOK, argv);
        return 0;
}

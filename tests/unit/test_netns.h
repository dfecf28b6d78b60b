#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A network namespace of one's own for a test of links, and links made in it with the real tools.
 */

#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"

/* Ends the test as skipped when we may not, or there is no ip(8). */
static inline void enter_netns(void) {
        if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
                (void) fprintf(stderr, "skipped: needs a network namespace, and so root\n");
                exit(77);
        }
        if (system("ip link add probe0 type bridge 2>/dev/null && ip link del probe0") != 0) {
                (void) fprintf(stderr, "skipped: needs ip(8) and bridges\n");
                exit(77);
        }
}

static inline void ip(const char *arguments) {
        char command[256];

        (void) snprintf(command, sizeof(command), "ip link %s", arguments);
        if (system(command) != 0) {
                (void) fprintf(stderr, "%s failed\n", command);
                abort();
        }
}

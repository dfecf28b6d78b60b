/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The specification of what is tried again after a start that failed, one row a situation; and
 * nspawn's sentences, as versions 252 and 257 write them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/retry.h"

typedef struct Line {
        const char *line;
        FailureKind kind;
} Line;

static const Line lines[] = {
        { "Failed to register machine: Machine 'web' already exists", FAILURE_NAME_TAKEN },
        { "Failed to add interface vb-web to bridge virbr0: No such device",
          FAILURE_BRIDGE_MISSING },
        { "Failed to add new veth interfaces (vb-web:host0): File exists", FAILURE_LINK_EXISTS },
        { "Mount point '/run/systemd/nspawn/unix-export/web' exists already, refusing.",
          FAILURE_MOUNT_LEFT },
        { "Failed to register machine: Connection timed out", FAILURE_MACHINED_BUSY },
        { "Failed to open system bus: Connection refused", FAILURE_BUS_AWAY },
        { "Failed to open bus: Connection refused", FAILURE_BUS_AWAY },
        { "Failed to open bus: No such file or directory", FAILURE_BUS_AWAY },

        { NULL, FAILURE_LASTING },
        { "", FAILURE_LASTING },
        { "Failed to open bus: Permission denied", FAILURE_LASTING },
        { "Failed to register machine: Access denied", FAILURE_LASTING },
        { "Failed to add interface vb-web to bridge virbr0: Operation not permitted",
          FAILURE_LASTING },
        { "Failed to add new veth interfaces (vb-web:host0): Operation not supported",
          FAILURE_LASTING },
        { "Mount point '/srv' exists already, refusing.", FAILURE_LASTING },
        { "Directory tree /var/lib/machines/web is currently busy.", FAILURE_LASTING },
        { "Failed to move interface eth7 to namespace: No such device", FAILURE_LASTING },
};

static void test_lines(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                if (failure_kind(lines[i].line) != lines[i].kind)
                        fail_msg("%s: %s", lines[i].line,
                                 failure_kind_to_string(failure_kind(lines[i].line)));
}

/* Short words, so that a row fits on a line. */
#define TAKEN FAILURE_NAME_TAKEN
#define BRIDGE FAILURE_BRIDGE_MISSING
#define LINK FAILURE_LINK_EXISTS
#define MOUNT FAILURE_MOUNT_LEFT
#define LASTING FAILURE_LASTING
#define ENABLED true
#define DISABLED false
#define OURS true
#define THEIRS false
#define READY true
#define NOT_READY false

typedef struct Row {
        const char *situation;
        RetryFacts facts; /* kind, enabled, ours, bridges_ready, tried */
        RetryAction action;
        uint64_t delay_usec;
} Row;

/* clang-format off */
static const Row rows[] = {
        { "A machine of that name runs; it may end.", { TAKEN, ENABLED, OURS, READY, 0 }, RETRY_AGAIN, 200000 },
        { "It takes longer.", { TAKEN, ENABLED, OURS, READY, 1 }, RETRY_AGAIN, 1000000 },
        { "It takes even longer.", { TAKEN, ENABLED, OURS, READY, 2 }, RETRY_AGAIN, 5000000 },
        { "It was tried often enough.", { TAKEN, ENABLED, OURS, READY, 3 }, RETRY_GIVE_UP, 0 },
        { "Nothing overflows.", { TAKEN, ENABLED, OURS, READY, UINT32_MAX }, RETRY_GIVE_UP, 0 },

        { "The network was bounced during the start, and is back.",
          { BRIDGE, ENABLED, OURS, READY, 0 }, RETRY_AGAIN, 200000 },
        { "It is not back: its edge will start the container.",
          { BRIDGE, ENABLED, OURS, NOT_READY, 0 }, RETRY_NEVER, 0 },
        { "The other bridge of the container went meanwhile.",
          { TAKEN, ENABLED, OURS, NOT_READY, 1 }, RETRY_NEVER, 0 },

        { "The link of the last life goes in a moment.", { LINK, ENABLED, OURS, READY, 0 }, RETRY_AGAIN, 200000 },
        { "nspawn was killed and left a mount.", { MOUNT, ENABLED, OURS, READY, 0 }, RETRY_AGAIN, 200000 },

        { "The container's own fault.", { LASTING, ENABLED, OURS, READY, 0 }, RETRY_NEVER, 0 },
        { "An administrator started it by hand, sees that, and may do so again.",
          { TAKEN, ENABLED, THEIRS, READY, 0 }, RETRY_NEVER, 0 },
        { "It was disabled meanwhile.", { TAKEN, DISABLED, OURS, READY, 1 }, RETRY_NEVER, 0 },
        { "Neither enabled nor ours.", { BRIDGE, DISABLED, THEIRS, READY, 0 }, RETRY_NEVER, 0 },
};
/* clang-format on */

static void test_rows(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t delay_usec = 0;

                if (retry_decide(&rows[i].facts, &delay_usec) != rows[i].action ||
                    delay_usec != rows[i].delay_usec)
                        fail_msg("%s", rows[i].situation);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

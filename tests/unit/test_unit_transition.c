/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a change of a unit's state means: one row a situation.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/unit_transition.h"

typedef struct Row {
        const char *what;
        const char *old_active, *old_sub, *new_active, *new_sub;
        UnitTransition expected;
} Row;

static const Row rows[] = {
        { "never seen, not running", NULL, NULL, "inactive", "dead", UNIT_TRANSITION_NONE },
        { "never seen, running", NULL, NULL, "active", "running", UNIT_TRANSITION_STARTED },
        { "start is under way", "inactive", "dead", "activating", "start", UNIT_TRANSITION_NONE },
        { "start succeeded", "activating", "start", "active", "running", UNIT_TRANSITION_STARTED },
        { "start failed", "activating", "start", "failed", "failed", UNIT_TRANSITION_FAILED },
        { "start failed unseen", "inactive", "dead", "failed", "failed", UNIT_TRANSITION_FAILED },
        { "failed, told again", "failed", "failed", "failed", "failed", UNIT_TRANSITION_NONE },
        { "failure reset", "failed", "failed", "inactive", "dead", UNIT_TRANSITION_NONE },
        { "start after a failure", "failed", "failed", "active", "running",
          UNIT_TRANSITION_STARTED },
        { "stop is under way", "active", "running", "deactivating", "stop-sigterm",
          UNIT_TRANSITION_NONE },
        { "stopped", "deactivating", "stop-sigterm", "inactive", "dead", UNIT_TRANSITION_ENDED },
        { "went down by itself", "active", "running", "inactive", "dead", UNIT_TRANSITION_ENDED },
        { "died", "active", "running", "failed", "failed", UNIT_TRANSITION_FAILED },
        { "killed while stopping", "deactivating", "stop-sigkill", "failed", "failed",
          UNIT_TRANSITION_FAILED },
        { "start given up", "activating", "start", "inactive", "dead", UNIT_TRANSITION_ENDED },
        { "reboot, down", "active", "running", "activating", "auto-restart",
          UNIT_TRANSITION_ENDED },
        { "reboot, down (256)", "active", "running", "activating", "auto-restart-queued",
          UNIT_TRANSITION_ENDED },
        { "reboot, up", "activating", "auto-restart", "activating", "start", UNIT_TRANSITION_NONE },
        { "reloading", "active", "running", "reloading", "reload", UNIT_TRANSITION_NONE },
        { "state of a later version", "active", "running", "refreshing", "refresh",
          UNIT_TRANSITION_NONE },
};

static void test_rows(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const Row *row = &rows[i];

                if (unit_transition(row->old_active, row->old_sub, row->new_active, row->new_sub) !=
                    row->expected)
                        fail_msg("%s", row->what);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/status.h"

#define CAUSE "Failed to add interface vb-web to bridge virbr0: No such device"
#define TAIL "; libvirt is not connected; the system bus is away"

static Container *add(Manager *m, const char *name, const char *state, const char *failure) {
        Container *c;

        assert_int_equal(container_table_ensure(&m->containers, m, name, &c), 0);
        c->active_state = strdup(state);
        c->active = streq(state, "active");
        c->last_failure = failure ? strdup(failure) : NULL;
        return c;
}

static void expect(const Manager *m, const char *expected) {
        _cleanup_free_ char *text = status_text(m);

        assert_string_equal(text, expected);
}

static void test_status(void **state) {
        Manager m = { .root = "" };

        expect(&m, "0 containers run" TAIL);
        add(&m, "app", "active", NULL);
        expect(&m, "1 container runs" TAIL);
        add(&m, "db", "active", NULL);
        add(&m, "web", "failed", CAUSE);
        expect(&m, "2 containers run, 1 failed: web (" CAUSE ")" TAIL);

        /* Killed on request: not a failure. */
        add(&m, "old", "failed", NULL)->destroy_requested = true;
        expect(&m, "2 containers run, 1 failed: web (" CAUSE "), 1 shut off" TAIL);

        add(&m, "x1", "failed", "a");
        add(&m, "x2", "failed", "b");
        add(&m, "x3", "failed", "c");
        expect(&m, "2 containers run, 4 failed: web (" CAUSE "), x1 (a), x2 (b) and 1 more, "
                   "1 shut off" TAIL);
        container_table_done(&m.containers);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_status),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

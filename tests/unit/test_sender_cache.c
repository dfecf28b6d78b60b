/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/sender_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_cache(void **state) {
        SenderCache cache = { 0 };
        char name[32];

        assert_true(sender_cache_find(&cache, ":1.1") == UID_UNKNOWN);
        sender_cache_add(&cache, ":1.1", 0);
        sender_cache_add(&cache, ":1.2", 1000);
        sender_cache_add(&cache, ":1.2", 1000);
        assert_int_equal(cache.next, 2);
        assert_int_equal(sender_cache_find(&cache, ":1.1"), 0);
        assert_int_equal(sender_cache_find(&cache, ":1.2"), 1000);
        assert_true(sender_cache_find(&cache, ":1.") == UID_UNKNOWN);

        /* The oldest go. */
        for (unsigned i = 0; i < SENDER_CACHE_SIZE - 1; i++) {
                (void) snprintf(name, sizeof(name), ":2.%u", i);
                sender_cache_add(&cache, name, i);
        }
        assert_true(sender_cache_find(&cache, ":1.1") == UID_UNKNOWN);
        assert_int_equal(sender_cache_find(&cache, ":1.2"), 1000);
        assert_int_equal(sender_cache_find(&cache, ":2.62"), 62);
        sender_cache_done(&cache);
        assert_true(sender_cache_find(&cache, ":1.2") == UID_UNKNOWN);
        sender_cache_done(&cache);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cache),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

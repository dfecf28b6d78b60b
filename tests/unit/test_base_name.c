/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/name.h"

#define TEN "aaaaaaaaaa"
#define SIXTY TEN TEN TEN TEN TEN TEN

typedef struct Row {
        const char *name;
        bool container, link, network;
} Row;

static const Row rows[] = {
        { NULL, false, false, false },
        { "", false, false, false },
        { ".", false, false, false },
        { "..", false, false, false },
        { "web", true, true, true },
        { "a", true, true, true },
        { "7", true, false, true },
        { "virbr0", true, true, true },
        { "a.b-c_D9", true, true, true },
        { "_a", true, true, true },
        { "-a", false, true, true },
        { "a-", false, true, true },
        { "a-.b", false, true, true },
        { "a.-b", false, true, true },
        { ".a", false, true, true },
        { "a.", false, true, true },
        { "a..b", false, true, true },
        { "a/b", false, false, false },
        { "../a", false, false, false },
        { "a b", false, false, true },
        { "a\nb", false, false, false },
        { "a\x7f", false, false, false },
        { "a:b", false, false, true },
        { "a%d", false, false, true },
        { "a@b", false, true, true },
        { "\xc3\xa4", false, false, true },
        { "fifteen-letters", true, true, true },
        { "sixteen--letters", true, false, true },
        { SIXTY "aaaa", true, false, true },
        { SIXTY "aaaaa", false, false, true },
        { SIXTY SIXTY SIXTY SIXTY TEN "aaaaa", false, false, true },
        { SIXTY SIXTY SIXTY SIXTY TEN "aaaaaa", false, false, false },
};

static void test_names(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const Row *row = &rows[i];

                if (container_name_is_valid(row->name) != row->container ||
                    link_name_is_valid(row->name) != row->link ||
                    network_name_is_valid(row->name) != row->network)
                        fail_msg("'%s'", row->name ? row->name : "(null)");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

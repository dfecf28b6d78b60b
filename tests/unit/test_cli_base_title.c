/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/cli/base_title.h"

static void test_titles(void **state) {
        static const struct {
                const char *description, *title;
        } cases[] = {
                { "Type=apt Source SHA256 Verify=signature Docs=no Recipe=debian RecipeContent=01 "
                  "Release=trixie Architecture=amd64 Package=dbus Package=init Config=Acquire::A 1",
                  "debian trixie amd64, 2 packages" },
                { "Type=dnf Source Recipe=fedora Release=42 Architecture=x86_64 Package=systemd",
                  "fedora 42 x86_64, 1 package" },
                { "Type=tar Source=/srv/web.tar SHA256 Verify=signature", "tar /srv/web.tar" },
                { "Type=oci Source=docker://h/a:1 Image=01", "oci docker://h/a:1" },
                { "what nobody foresaw", "what nobody foresaw" },
                { "", "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *title = NULL;

                assert_int_equal(base_title(cases[i].description, &title), 0);
                assert_string_equal(title, cases[i].title);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_titles) };

        return cmocka_run_group_tests_name("base_title", tests, NULL, NULL);
}

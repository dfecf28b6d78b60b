/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/cli/source_word.h"

static void assert_word(const char *word, const char *expected) {
        _cleanup_free_ char *result = NULL;

        assert_int_equal(source_word_absolute(word, &result), 0);
        assert_string_equal(result, expected);
}

static void test_absolute(void **state) {
        char folder[] = "/tmp/source_word.XXXXXX", expected[PATH_MAX];

        assert_non_null(mkdtemp(folder));
        assert_int_equal(chdir(folder), 0);
        assert_int_equal(mkdir("sub", 0700), 0);

        (void) snprintf(expected, sizeof(expected), "tar:%s/web.tar.xz", folder);
        assert_word("tar:web.tar.xz", expected);
        assert_word("tar:./web.tar.xz", expected);
        assert_word("tar:sub/../web.tar.xz", expected);
        (void) snprintf(expected, sizeof(expected), "oci:%s/sub/image:1.0", folder);
        assert_word("oci:sub/image:1.0", expected);
        assert_int_equal(chdir("sub"), 0);
        (void) snprintf(expected, sizeof(expected), "raw:%s/web.raw", folder);
        assert_word("raw:../web.raw", expected);
        assert_int_equal(chdir("/"), 0);
        assert_word("directory:srv", "directory:/srv");

        (void) snprintf(expected, sizeof(expected), "%s/sub", folder);
        assert_int_equal(rmdir(expected), 0);
        assert_int_equal(rmdir(folder), 0);
}

static void test_left_alone(void **state) {
        static const char *const words[] = {
                "debian",    "debian:bookworm", "tar:/srv/web.tar", "tar:",         "clone:web",
                "base:0123", "https://h/x.raw", "docker://h/image", "tar:no/where", "",
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                assert_word(words[i], words[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_absolute),
                cmocka_unit_test(test_left_alone),
        };

        return cmocka_run_group_tests_name("source_word", tests, NULL, NULL);
}

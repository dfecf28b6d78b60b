/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/bootstrap/source_oci.h"
#include "agent/bootstrap/tool_output.h"
#include "temp_root.h"

typedef struct Step {
        const char *line;
        int percent; /* after it, rounded down */
} Step;

static void check(ToolKind kind, const Step *steps, size_t n) {
        ToolProgress p = { .kind = kind };

        for (size_t i = 0; i < n; i++)
                assert_int_equal((int) tool_progress_line(&p, steps[i].line), steps[i].percent);
}

static void test_mmdebstrap(void **state) {
        static const Step steps[] = {
                { "I: running apt-get update...", 0 },
                { "Get:1 http://m/debian bookworm InRelease [151 kB]", 0 },
                { "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.", 3 },
                { "Get:1 http://m/debian bookworm/main amd64 libc6 amd64 2.36 [2759 kB]", 14 },
                { "Get:2 http://m/debian bookworm/main amd64 dash amd64 0.5 [97 kB]", 25 },
                { "Get:3 more than were said", 25 },
                { "I: installing essential packages...", 25 },
                { "Unpacking libc6:amd64 (2.36) ...", 31 },
                { "Unpacking dash (0.5) ...", 37 },
                { "Setting up libc6:amd64 (2.36) ...", 43 },
                { "Setting up dash (0.5) ...", 50 },
                { "I: installing remaining packages inside the chroot...", 50 },
                { "0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.", 50 },
                { "Get:1 http://m/debian bookworm/main amd64 systemd amd64 252 [3 MB]", 65 },
                { "Unpacking systemd (252) ...", 81 },
                { "Setting up systemd (252) ...", 98 },
                { "I: cleaning package lists and apt cache...", 98 },
        };

        check(TOOL_MMDEBSTRAP, steps, ELEMENTSOF(steps));
}

static void test_dnf(void **state) {
        static const Step four[] = {
                { "Last metadata expiration check: 0:00:01 ago", 0 },
                { "(1/10): bash-5.2-1.x86_64.rpm   17 MB/s | 1.8 MB  00:00", 9 },
                { "(10/10): systemd-253-1.x86_64.rpm", 50 },
                { "Running transaction check", 50 },
                { "Preparing        :                                        1/1", 50 },
                { "Installing       : bash-5.2-1.x86_64                   1/10", 54 },
                { "Verifying        : bash-5.2-1.x86_64                   10/10", 100 },
        };
        static const Step five[] = {
                { "[ 1/10] bash-0:5.2-1.x86_64 100% |  17 MB/s |   1.8 MB |  00m00s", 9 },
                { "[ 1/12] Verify package files    100% | 200 B/s |", 53 },
                { "[ 6/12] Installing bash-0:5.2-1 100% |  17 MB/s", 72 },
                { "[12/12] Installing systemd-0:25 100% |  17 MB/s", 95 },
        };

        check(TOOL_DNF, four, ELEMENTSOF(four));
        check(TOOL_DNF, five, ELEMENTSOF(five));
}

static void test_plain(void **state) {
        static const Step steps[] = { { "12/13", -1 } };

        check(TOOL_PLAIN, steps, ELEMENTSOF(steps));
}

/* A real run from its first line to its last. */
static void test_real(void **state) {
        static const struct {
                const char *file;
                ToolKind kind;
                double largest_step; /* (what dnf has on this host it does not download) */
        } rows[] = { { "mmdebstrap", TOOL_MMDEBSTRAP, 20 }, { "dnf", TOOL_DNF, 50 } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *path = NULL, *text = NULL;
                ToolProgress p = { .kind = rows[i].kind };
                double last = 0, largest_step = 0;
                char *rest;

                path = text_format("%s/tests/golden/tool_output/%s.txt", CTVIRT_SOURCE_DIR,
                                   rows[i].file);
                assert_int_equal(read_file_at(AT_FDCWD, path, 1 << 20, true, &text, NULL), 0);
                for (char *line = strtok_r(text, "\n", &rest); line;
                     line = strtok_r(NULL, "\n", &rest)) {
                        double percent = tool_progress_line(&p, line + strspn(line, " "));

                        if (percent - last > largest_step)
                                largest_step = percent - last;
                        last = percent;
                }
                assert_true(last >= 95);
                assert_true(largest_step <= rows[i].largest_step);
        }
}

static void test_hints(void **state) {
        static const struct {
                const char *line;
                int code;
                const char *hint;
        } rows[] = {
                { "dpkg: error: write: No space left on device", ENOSPC, "There is no space left" },
                { "E: Failed to fetch http://x/ 404  Not Found [IP: 1.2.3.4 80]", ENOENT,
                  "check release and URL" },
                { "W: GPG error: The following signatures couldn't be verified: NO_PUBKEY 12",
                  EKEYREJECTED, "name it: Key= of the recipe" },
                { "error message is: Missing key 0123, which is needed to verify signature.",
                  EKEYREJECTED, "a key that is not trusted" },
                { "E: The repository 'http://x trixie InRelease' is not signed.", EKEYREJECTED,
                  "no signature that can be checked" },
                { "Failed to retrieve signature file, cannot verify. (Try --verify=no?)",
                  EKEYREJECTED, "Nobody has signed it" },
                { "DOWNLOAD INVALID: Signature verification failed.", EKEYREJECTED,
                  "import-pubring.gpg" },
                { "DOWNLOAD INVALID: Checksum of x.raw file did not check out, file has been "
                  "tampered with.",
                  EBADMSG, "damaged" },
                { "Temporary failure resolving 'deb.debian.org'", ENETUNREACH, "DNS" },
                { "Error: Unable to find a match: vmi", ENOENT, "no such package" },
                { "Error: GPG check FAILED", EKEYREJECTED, "check the key" },
        };
        char *nothing[] = { (char *) "who knows", NULL };
        int code;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char *lines[] = { (char *) "E: something failed", (char *) rows[i].line, NULL };
                const char *hint = tool_hint(lines, &code);

                assert_non_null(hint);
                assert_non_null(strstr(hint, rows[i].hint));
                assert_int_equal(code, rows[i].code);
        }
        assert_null(tool_hint(nothing, &code));
        assert_int_equal(code, EIO);
}

static void test_image_command(void **state) {
        _cleanup_(image_command_done) ImageCommand c = { 0 };

        assert_int_equal(image_command_parse("a \"/bin/sh\"\na \"-c\"\na \"echo \\\"a b\\\"\"\n"
                                             "e \"FOO=bar baz\"\nd \"/srv\"\nu \"\"\n",
                                             &c),
                         0);
        assert_int_equal(strv_length(c.arguments), 3);
        assert_string_equal(c.arguments[2], "echo \"a b\"");
        assert_string_equal(c.environment[0], "FOO=bar baz");
        assert_string_equal(c.directory, "/srv");
        assert_null(c.user);
        image_command_done(&c);

        assert_int_equal(image_command_parse("a \"one\\ntwo\"\n", &c), -EILSEQ);
        assert_int_equal(image_command_parse("a one\n", &c), -EBADMSG);
        assert_int_equal(image_command_parse("a \"one\" \"two\"\n", &c), -EBADMSG);
        assert_int_equal(image_command_parse("x \"one\"\n", &c), -EBADMSG);
        assert_int_equal(image_command_parse("<no value>\n", &c), -EBADMSG);
        assert_null(c.arguments);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mmdebstrap), cmocka_unit_test(test_dnf),
                cmocka_unit_test(test_plain),      cmocka_unit_test(test_real),
                cmocka_unit_test(test_hints),      cmocka_unit_test(test_image_command),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

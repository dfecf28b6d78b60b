/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "temp_root.h"
#include "units/nspawn_file.h"

#define MARK GENERATED_MARK " from the definition of container 'web'.\n"

static NspawnFile *parse(const char *text, bool trusted) {
        NspawnFile *f = NULL;

        assert_int_equal(nspawn_file_parse(text, strlen(text), "web.nspawn", trusted, &f), 0);
        assert_non_null(f);
        return f;
}

/* One row a rule of systemd's syntax; what comes out is the bridge. */
static void test_syntax(void **state) {
        static const struct {
                const char *what;
                const char *text;
                const char *bridge;
        } rows[] = {
                { "the guide's own file", "[Network]\nBridge=virbr0\n", "virbr0" },
                { "no newline at the end", "[Network]\nBridge=br0", "br0" },
                { "blanks", " \t[Network] \n\tBridge \t=  br0 \t\n", "br0" },
                { "line ends of Windows", "[Network]\r\nBridge=br0\r\n", "br0" },
                { "line ends of old Macs", "[Network]\rBridge=br0\r", "br0" },
                { "byte order mark", "\xef\xbb\xbf[Network]\nBridge=br0\n", "br0" },
                { "comments", "# a\n; b\n[Network]\n #Bridge=br1\nBridge=br0\n;Bridge=br2", "br0" },
                { "no comment behind a value", "[Network]\nBridge=br0 # mine\n", NULL },
                { "the last one counts", "[Network]\nBridge=br0\nBridge=br1\n", "br1" },
                { "an empty one resets", "[Network]\nBridge=br0\nBridge=\n", NULL },
                { "a bad one is ignored", "[Network]\nBridge=br0\nBridge=a b\n", "br0" },
                { "a number is none", "[Network]\nBridge=17\n", NULL },
                { "too long", "[Network]\nBridge=sixteencharacter\n", NULL },
                { "all and default are none", "[Network]\nBridge=all\nBridge=default\n", NULL },
                { "section twice", "[Network]\n[Exec]\nBridge=br1\n[Network]\nBridge=br0\n",
                  "br0" },
                { "other section", "[Exec]\nBridge=br0\n", NULL },
                { "no section", "Bridge=br0\n", NULL },
                { "case of key", "[Network]\nbridge=br0\n", NULL },
                { "case of section", "[network]\nBridge=br0\n", NULL },
                { "continued", "[Network]\nBridge=\\\nbr0\n", "br0" },
                { "continued to the end", "[Network]\nBridge=br0\\", "br0" },
                { "continued over a comment", "[Network]\nBridge=\\\n# Bridge=br1\n\\\nbr0\n",
                  "br0" },
                { "continued takes the next key", "[Network]\nBridge=br0 \\\nZone=x\n", NULL },
                { "an escaped backslash does not go on", "[Network]\nBridge=br0\\\\\nZone=x\n",
                  "br0\\\\" },
                { "continued with line ends of Windows", "[Network]\r\nBridge=\\\r\nbr0\r\n",
                  "br0" },
                { "lines without sense", "[Network]\nBridge\n=br1\n%%%\nBridge=br0\n", "br0" },
                { "quotes are no quotes", "[Network]\nBridge=\"br0\"\n", "\"br0\"" },
                { "unknown sections", "[X-Mine]\nBridge=br1\n[Foo]\nBridge=br2\n", NULL },
                { "a comment that is not UTF-8", "# \xe4\n[Network]\nBridge=br0\n", "br0" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(nspawn_file_freep) NspawnFile *f = parse(rows[i].text, true);

                if (!streq_ptr(f->bridge, rows[i].bridge))
                        fail_msg("%s: '%s'", rows[i].what, f->bridge ? f->bridge : "(none)");
        }
}

static void test_refused(void **state) {
        static const struct {
                const char *text;
                size_t size;
                int r;
        } rows[] = {
                { "[Network]\nBridge=br0\n\0", 22, -EINVAL },
                { "\0", 1, -EINVAL },
                { "[Network]\nBridge=br\xff\n", 20, -EINVAL },
                { "[Network]\nX=\xed\xa0\x80\n", 16, -EINVAL },
                { "[Network]\nX=\xc0\xaf\n", 15, -EINVAL },
                { "[Network]\nX=\xe2\x82", 14, -EINVAL },
                { "[Network\nBridge=br0\n", 20, -EBADMSG },
                { "[Net\"work]\n", 11, -EBADMSG },
                { "[", 1, -EBADMSG },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                NspawnFile *f = NULL;

                assert_int_equal(nspawn_file_parse(rows[i].text, rows[i].size, "x", true, &f),
                                 rows[i].r);
                assert_null(f);
        }
}

static void test_network(void **state) {
        static const struct {
                const char *text;
                bool has_network;
        } rows[] = {
                { "", false },
                { "[Network]\n", false },
                { "[Exec]\nBoot=yes\n", false },
                { "[Network]\nVirtualEthernet=yes\n", true },
                { "[Network]\nVirtualEthernet=OFF\n", true },
                { "[Network]\nVirtualEthernet=maybe\n", false },
                { "[Network]\nPrivate=yes\nPrivate=\n", false },
                { "[Network]\nZone=lan\n", true },
                { "[Network]\nZone=a/b\n", false },
                { "[Network]\nMACVLAN=eth0\n", true },
                { "[Network]\nMACVLAN=eth0\nMACVLAN=\n", false },
                { "[Network]\nInterface=eth0\n", true },
                { "[Network]\nPort=tcp:80\n", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(nspawn_file_freep) NspawnFile *f = parse(rows[i].text, true);
                _cleanup_(nspawn_file_freep) NspawnFile *untrusted = parse(rows[i].text, false);

                assert_int_equal(f->has_network, rows[i].has_network);
                assert_false(untrusted->has_network);
        }
}

static void test_lists(void **state) {
        _cleanup_(nspawn_file_freep) NspawnFile *f =
                parse("[Network]\nMACVLAN=eth0 \"eth1\"\nMACVLAN=eth2 'open\nZone=lan\n", true);

        assert_int_equal(strv_length(f->macvlans), 3);
        assert_string_equal(f->macvlans[1], "eth1");
        assert_string_equal(f->macvlans[2], "eth2");
        assert_string_equal(f->zone, "lan");
}

static void test_uid_range(void **state) {
        static const struct {
                const char *value;
                bool has;
                uint32_t base, count;
        } rows[] = {
                { "524288:65536", true, 524288, 65536 },
                { "524288", true, 524288, 65536 },
                { "524288:1", true, 524288, 1 },
                { "0:65536", true, 0, 65536 },
                { "yes", false, 0, 0 },
                { "no", false, 0, 0 },
                { "pick", false, 0, 0 },
                { "identity", false, 0, 0 },
                { "524288:0", false, 0, 0 },
                { "4294967295:65536", false, 0, 0 },
                { "99999999999", false, 0, 0 },
                { "0524288", false, 0, 0 },
                { "-1", false, 0, 0 },
                { "", false, 0, 0 },
                { ":", false, 0, 0 },
                { "524288:65536:1", false, 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = text_format("[Exec]\nPrivateUsers=%s\n", rows[i].value);
                _cleanup_(nspawn_file_freep) NspawnFile *f = parse(text, true);

                assert_int_equal(f->has_uid_range, rows[i].has);
                assert_int_equal(f->uid_base, rows[i].base);
                assert_int_equal(f->uid_count, rows[i].count);
        }
}

static void test_generated(void **state) {
        static const char text[] = MARK "[Network]\nBridge=virbr0\n"
                                        "[X-ctvirt]\nNetwork=default\nNetwork=\" my net \"\n"
                                        "Network=a/b\nBridge=virbr0\nBridge=br-lan\nBridge=br-lan\n"
                                        "Bridge=no good\nPlug=vb1-web:br-lan\nPlug=x\nPlug=a:b c\n";
        _cleanup_(nspawn_file_freep) NspawnFile *f = parse(text, true);
        _cleanup_(nspawn_file_freep) NspawnFile *untrusted = parse(text, false);
        _cleanup_(nspawn_file_freep) NspawnFile *foreign = parse(text + strlen(MARK), true);

        assert_true(f->generated);
        assert_int_equal(strv_length(f->networks), 2);
        assert_string_equal(f->networks[1], " my net ");
        assert_int_equal(strv_length(f->bridges), 3);
        assert_string_equal(f->bridges[1], "br-lan");
        assert_int_equal(f->n_plugs, 1);
        assert_string_equal(f->plugs[0].link, "vb1-web");
        assert_string_equal(f->plugs[0].bridge, "br-lan");

        assert_false(untrusted->generated);
        assert_null(untrusted->bridges);
        assert_null(untrusted->bridge);
        assert_false(foreign->generated);
        assert_null(foreign->bridges);
        assert_null(foreign->plugs);
        assert_string_equal(foreign->bridge, "virbr0");
}

/* A list that somebody made long on purpose does not keep us busy. */
static void test_long_list(void **state) {
        _cleanup_free_ char *text = malloc(NSPAWN_FILE_MAX + 64);
        NspawnFile *f = NULL;
        size_t n;

        assert_non_null(text);
        n = (size_t) snprintf(text, NSPAWN_FILE_MAX, MARK "[Network]\nMACVLAN=");
        while (n < NSPAWN_FILE_MAX)
                n += (size_t) snprintf(text + n, 3, "e ");
        f = parse(text, true);
        assert_int_equal(strv_length(f->macvlans), 1024);
        nspawn_file_free(f);
}

static void test_search(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        NspawnFile *f = NULL;

        assert_int_equal(nspawn_file_load(root, "web", &f), -ENOENT);

        temp_root_write(root, "/var/lib/machines/web.nspawn", "[Network]\nBridge=br2\n");
        assert_int_equal(nspawn_file_load(root, "web", &f), 0);
        assert_false(f->trusted);
        assert_null(f->bridge);
        f = nspawn_file_free(f);
        assert_int_equal(nspawn_file_load_trusting(root, "web", &f), 0);
        assert_string_equal(f->bridge, "br2");
        f = nspawn_file_free(f);

        temp_root_write(root, "/run/systemd/nspawn/web.nspawn", "[Network]\nBridge=br1\n");
        assert_int_equal(nspawn_file_load(root, "web", &f), 0);
        assert_string_equal(f->bridge, "br1");
        f = nspawn_file_free(f);

        temp_root_write(root, "/etc/systemd/nspawn/web.nspawn", "[Network]\nBridge=br0\n");
        assert_int_equal(nspawn_file_load(root, "web", &f), 0);
        assert_string_equal(f->bridge, "br0");
        assert_true(f->trusted);
        f = nspawn_file_free(f);
}

static void test_masked(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_(nspawn_file_freep) NspawnFile *f = NULL;

        temp_root_link(root, "/etc/systemd/nspawn/web.nspawn", "/dev/null");
        temp_root_write(root, "/run/systemd/nspawn/web.nspawn", "[Network]\nBridge=br1\n");
        assert_int_equal(nspawn_file_load(root, "web", &f), 0);
        assert_null(f->bridge);
}

static void test_odd_files(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *fifo = text_format("%s/etc/systemd/nspawn/web.nspawn", root);
        _cleanup_free_ char *huge = calloc(1, NSPAWN_FILE_MAX + 2);
        NspawnFile *f = NULL;

        temp_root_prepare(fifo);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(nspawn_file_load(root, "web", &f), -EINVAL);
        assert_int_equal(unlink(fifo), 0);

        assert_int_equal(mkdir(fifo, 0700), 0);
        assert_int_equal(nspawn_file_load(root, "web", &f), -EINVAL);
        assert_int_equal(rmdir(fifo), 0);

        memset(huge, '#', NSPAWN_FILE_MAX + 1);
        temp_root_write(root, "/etc/systemd/nspawn/web.nspawn", huge);
        assert_int_equal(nspawn_file_load(root, "web", &f), -EFBIG);
        assert_null(f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_syntax),    cmocka_unit_test(test_refused),
                cmocka_unit_test(test_network),   cmocka_unit_test(test_lists),
                cmocka_unit_test(test_uid_range), cmocka_unit_test(test_generated),
                cmocka_unit_test(test_long_list), cmocka_unit_test(test_search),
                cmocka_unit_test(test_masked),    cmocka_unit_test(test_odd_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

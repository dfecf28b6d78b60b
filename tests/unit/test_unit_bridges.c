/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "temp_root.h"
#include "units/nspawn_file.h"
#include "units/unit_bridges.h"

#define ETC "/etc/systemd/system/"
#define RUN "/run/systemd/system/"
#define USR "/usr/lib/systemd/system/"
#define TEMPLATE "systemd-nspawn@.service"
#define WEB "systemd-nspawn@web.service"
#define NSPAWN "/etc/systemd/nspawn/web.nspawn"

#define STOCK                                                                                      \
        "[Service]\nExecStart=systemd-nspawn --quiet --keep-unit --boot --link-journal=try-guest " \
        "--network-veth -U --settings=override --machine=%i\n"
#define COMMAND(options) "[Service]\nExecStart=\nExecStart=systemd-nspawn " options "\n"
#define FILE_SAYS(bridge) "[Network]\nBridge=" bridge "\n"

typedef struct TestFile {
        const char *path;
        const char *content; /* NULL: a symlink to /dev/null */
} TestFile;

typedef struct Row {
        const char *what;
        TestFile files[4];
        const char *bridges; /* "br0 br1"; "" for none */
} Row;

/* systemd's template is there in all of them. */
static const Row rows[] = {
        { "nothing", { { 0 } }, "" },
        { "the guide", { { NSPAWN, FILE_SAYS("virbr0") } }, "virbr0" },
        { "drop-in", { { ETC WEB ".d/10.conf", COMMAND("--network-bridge=br0") } }, "br0" },
        { "two words", { { ETC WEB ".d/10.conf", COMMAND("--network-bridge br0 -b") } }, "br0" },
        { "drop-in of the template",
          { { ETC TEMPLATE ".d/10.conf", COMMAND("--network-bridge=br0") } },
          "br0" },
        { "the last option counts",
          { { ETC WEB ".d/10.conf", COMMAND("--network-bridge=br0 --network-bridge=br1") } },
          "br1" },
        { "reset",
          { { ETC WEB ".d/10.conf", COMMAND("--network-bridge=br0") },
            { ETC WEB ".d/20.conf", "[Service]\nExecStart=\nExecStart=true\n" } },
          "" },
        { "order by name, not by folder",
          { { ETC WEB ".d/20.conf", COMMAND("--network-bridge=br2") },
            { RUN WEB ".d/30.conf", COMMAND("--network-bridge=br3") },
            { USR TEMPLATE ".d/10.conf", COMMAND("--network-bridge=br1") } },
          "br3" },
        { "same name: /etc before /run",
          { { ETC WEB ".d/10.conf", COMMAND("--network-bridge=br0") },
            { RUN WEB ".d/10.conf", COMMAND("--network-bridge=br1") } },
          "br0" },
        { "same name: instance before template",
          { { ETC WEB ".d/10.conf", COMMAND("--network-bridge=br0") },
            { ETC TEMPLATE ".d/10.conf", COMMAND("--network-bridge=br1") } },
          "br0" },
        { "same name: the folder counts more than the instance",
          { { ETC TEMPLATE ".d/10.conf", COMMAND("--network-bridge=br1") },
            { RUN WEB ".d/10.conf", COMMAND("--network-bridge=br0") } },
          "br1" },
        { "masked drop-in",
          { { ETC WEB ".d/10.conf", NULL },
            { RUN TEMPLATE ".d/10.conf", COMMAND("--network-bridge=br1") } },
          "" },
        { "no drop-in without .conf",
          { { ETC WEB ".d/10.txt", COMMAND("--network-bridge=br0") } },
          "" },
        { "own unit file", { { ETC WEB, COMMAND("--network-bridge=br0") } }, "br0" },
        { "own unit file in place of the template",
          { { RUN WEB, "[Service]\nExecStart=nspawn\n" },
            { ETC TEMPLATE, COMMAND("--network-bridge=br0") } },
          "" },
        { "template in /etc", { { ETC TEMPLATE, COMMAND("--network-bridge=br0") } }, "br0" },
        { "file wins under override",
          { { NSPAWN, FILE_SAYS("br0") },
            { ETC WEB ".d/10.conf", COMMAND("--settings=override --network-bridge=br1") } },
          "br0" },
        { "file wins with any word on the network",
          { { NSPAWN, "[Network]\nVirtualEthernet=yes\n" },
            { ETC WEB ".d/10.conf", COMMAND("--settings=override --network-bridge=br1") } },
          "" },
        { "file without a word on the network",
          { { NSPAWN, "[Exec]\nBoot=yes\n" },
            { ETC WEB ".d/10.conf", COMMAND("--settings=override --network-bridge=br1") } },
          "br1" },
        { "command line wins without --settings=",
          { { NSPAWN, FILE_SAYS("br0") },
            { ETC WEB ".d/10.conf", COMMAND("--network-bridge=br1") } },
          "br1" },
        { "command line wins under yes",
          { { NSPAWN, FILE_SAYS("br0") },
            { ETC WEB ".d/10.conf", COMMAND("--settings=yes --network-bridge=br1") } },
          "br1" },
        { "command line wins with any option about the network",
          { { NSPAWN, FILE_SAYS("br0") }, { ETC WEB ".d/10.conf", COMMAND("--settings=yes -bn") } },
          "" },
        { "the argument of an option is none",
          { { NSPAWN, FILE_SAYS("br0") }, { ETC WEB ".d/10.conf", COMMAND("-Mn -D/n --boot") } },
          "br0" },
        { "no file",
          { { NSPAWN, FILE_SAYS("br0") }, { ETC WEB ".d/10.conf", COMMAND("--settings=no") } },
          "" },
        { "file beside the image", { { "/var/lib/machines/web.nspawn", FILE_SAYS("br0") } }, "" },
        { "file beside the image, trusted",
          { { "/var/lib/machines/web.nspawn", FILE_SAYS("br0") },
            { ETC WEB ".d/10.conf", COMMAND("--settings=trusted") } },
          "br0" },
        { "quotes, escapes and specifiers",
          { { ETC WEB ".d/10.conf", COMMAND("\"--network-bridge=br\\x2d%i\"") } },
          "br-web" },
        { "specifier in the template",
          { { ETC TEMPLATE ".d/10.conf", COMMAND("--machine=%i --network-bridge br-%i") } },
          "br-web" },
        { "script with a specifier in the template",
          { { ETC TEMPLATE ".d/10.conf",
              "[Service]\nExecStart=\nExecStart=sh -c 'exec nspawn --network-bridge=br-%i'\n" } },
          "br-web" },
        { "option whose value looks like one",
          { { ETC WEB ".d/10.conf", COMMAND("--settings --machine=%i --network-bridge=br0") } },
          "br0" },
        { "a percent sign", { { ETC WEB ".d/10.conf", COMMAND("--network-bridge=br%%0") } }, "" },
        { "continued",
          { { ETC WEB ".d/10.conf", COMMAND("-b \\\n  --network-bridge=br0") } },
          "br0" },
        { "a shell script",
          { { ETC WEB ".d/10.conf",
              "[Service]\nExecStart=\nExecStart=/bin/sh -xc ' \\\n"
              "    deployment=`ostree admin status | sed -ne \\'s/. %i \\\\(\\\\S*\\\\)/\\\\1/; T; p; "
              "q\\'`; \\\n    exec /usr/bin/systemd-nspawn --quiet --settings=override --machine=%i "
              "\\\n    --network-bridge=br0; '\n" } },
          "br0" },
        { "unbalanced quotes", { { ETC WEB ".d/10.conf", COMMAND("'--network-bridge=br0") } }, "" },
        { "a section of somebody else",
          { { ETC WEB ".d/10.conf", "[Unit]\nExecStart=x --network-bridge=br0\n" } },
          "" },
        { "our own drop-in",
          { { ETC WEB ".d/50-ctvirt.conf", GENERATED_MARK "\n[Service]\nMemoryMax=1G\n" },
            { NSPAWN, FILE_SAYS("br0") } },
          "br0" },
        { "generated file",
          { { NSPAWN,
              GENERATED_MARK "\n[Network]\nBridge=br0\n[X-ctvirt]\nBridge=br0\nBridge=br1\n" } },
          "br0 br1" },
        { "generated file, but the command line has its own way",
          { { NSPAWN,
              GENERATED_MARK "\n[Network]\nBridge=br0\n[X-ctvirt]\nBridge=br0\nBridge=br1\n" },
            { ETC WEB ".d/60.conf", COMMAND("--settings=no --network-bridge=br7") } },
          "br7" },
};

static void put_files(const char *root, const TestFile *files, size_t n) {
        for (size_t i = 0; i < n && files[i].path; i++)
                if (files[i].content)
                        temp_root_write(root, files[i].path, files[i].content);
                else
                        temp_root_link(root, files[i].path, "/dev/null");
}

static void test_rows(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_root_ char *root = temp_root_new();
                _cleanup_unit_bridges_ UnitBridges b = { 0 };
                _cleanup_free_ char *joined = NULL;
                int r;

                temp_root_write(root, USR TEMPLATE, STOCK);
                put_files(root, rows[i].files, ELEMENTSOF(rows[i].files));
                r = unit_bridges_load(root, "web", &b);
                joined = strv_join(b.bridges, " ");
                if (r != 0 || !streq(joined, rows[i].bridges))
                        fail_msg("%s: %d '%s'", rows[i].what, r, joined);
        }
}

static void test_networks(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_unit_bridges_ UnitBridges b = { 0 };

        temp_root_write(root, NSPAWN,
                        GENERATED_MARK "\n[Network]\nVirtualEthernet=yes\n[X-ctvirt]\n"
                                       "Network=default\nNetwork=lan\n");
        assert_int_equal(unit_bridges_load(root, "web", &b), 0);
        assert_true(b.generated);
        assert_null(b.bridges);
        assert_int_equal(strv_length(b.networks), 2);
        assert_string_equal(b.networks[1], "lan");
}

static void assert_settings(const char *root, const char *expected) {
        _cleanup_(unit_files_freep) UnitFiles *files = NULL;
        _cleanup_strv_ char **paths = NULL;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(unit_files_load(root, &files), 0);
        assert_int_equal(unit_settings_files(files, "web", &paths), 0);
        text = strv_join(paths, " ");
        assert_string_equal(text, expected);
}

static void test_settings_files(void **state) {
        _cleanup_root_ char *root = temp_root_new();

        assert_settings(root, "");
        temp_root_write(root, USR TEMPLATE, STOCK);
        assert_settings(root, USR TEMPLATE);
        temp_root_write(root, ETC WEB ".d/10.conf", COMMAND("--network-bridge=br0 --settings=no"));
        temp_root_write(root, ETC WEB ".d/20.conf", "[Service]\nRestart=no\n");
        assert_settings(root, ETC WEB ".d/10.conf");
        temp_root_write(root, NSPAWN, FILE_SAYS("virbr0"));
        assert_settings(root, ETC WEB ".d/10.conf");
        temp_root_write(root, ETC WEB ".d/10.conf", COMMAND("--network-bridge=br0"));
        assert_settings(root, NSPAWN " " ETC WEB ".d/10.conf");
        temp_root_write(root, ETC WEB ".d/10.conf", "[Service]\nRestart=no\n");
        assert_settings(root, NSPAWN);
        temp_root_write(root, ETC WEB, STOCK);
        assert_settings(root, NSPAWN " " ETC WEB);
}

static void test_unreadable(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_free_ char *fifo = text_format("%s" ETC WEB ".d/10.conf", root);
        _cleanup_(unit_files_freep) UnitFiles *files = NULL;
        _cleanup_unit_bridges_ UnitBridges b = { 0 };
        _cleanup_error_ Error *err = NULL;

        temp_root_prepare(fifo);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(unit_files_load(root, &files), 0);
        assert_int_equal(unit_bridges_find(files, "web", &b, &err), -EINVAL);
        assert_non_null(strstr(err->text, "10.conf"));
        assert_int_equal(unit_bridges_find(files, "other", &b, NULL), 0);

        temp_root_write(root, "/etc/systemd/nspawn/other.nspawn", "[Network\n");
        err = error_free(err);
        assert_int_equal(unit_bridges_find(files, "other", &b, &err), -EBADMSG);
        assert_non_null(strstr(err->text, "/other.nspawn'"));
}

static void enable(const char *root, const char *link) {
        temp_root_link(root, link, USR TEMPLATE);
}

static void test_enabled(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *joined = NULL;

        temp_root_write(root, USR TEMPLATE, STOCK);
        enable(root, ETC "machines.target.wants/systemd-nspawn@web.service");
        enable(root, ETC "multi-user.target.wants/systemd-nspawn@web.service");
        enable(root, ETC "mine.target.requires/systemd-nspawn@db.service");
        enable(root, RUN "machines.target.wants/systemd-nspawn@runtime.service");
        enable(root, USR "machines.target.wants/systemd-nspawn@vendor.service");
        enable(root, "/usr/local/lib/systemd/system/a.target.wants/systemd-nspawn@local.service");
        /* Not enabled, masked, or none at all. */
        enable(root, "/run/systemd/generator/a.target.wants/systemd-nspawn@generated.service");
        enable(root, ETC "machines.target.wants/systemd-nspawn@.service");
        enable(root, ETC "machines.target.wants/systemd-nspawn@a\\x2db.service");
        enable(root, ETC "machines.target.wants/other.service");
        enable(root, ETC "machines.target.wants/systemd-nspawn@masked.service");
        temp_root_link(root, ETC "systemd-nspawn@masked.service", "/dev/null");
        enable(root, ETC "machines.target.wants/systemd-nspawn@empty.service");
        temp_root_write(root, RUN "systemd-nspawn@empty.service", "");
        enable(root, USR "machines.target.wants/systemd-nspawn@unwanted.service");
        temp_root_link(root, ETC "machines.target.wants/systemd-nspawn@unwanted.service",
                       "/dev/null");
        temp_root_write(root, ETC "machines.target.wants/systemd-nspawn@file.service", STOCK);

        assert_int_equal(enabled_containers_load(root, &names), 0);
        joined = strv_join(names, " ");
        assert_string_equal(joined, "db local runtime vendor web");
}

static void test_template_masked(void **state) {
        _cleanup_root_ char *root = temp_root_new();
        _cleanup_strv_ char **names = NULL;

        temp_root_write(root, USR TEMPLATE, STOCK);
        temp_root_link(root, ETC TEMPLATE, "/dev/null");
        enable(root, ETC "machines.target.wants/systemd-nspawn@web.service");
        assert_int_equal(enabled_containers_load(root, &names), 0);
        assert_int_equal(strv_length(names), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),           cmocka_unit_test(test_networks),
                cmocka_unit_test(test_settings_files), cmocka_unit_test(test_unreadable),
                cmocka_unit_test(test_enabled),        cmocka_unit_test(test_template_masked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Trees that were made to be harmed with. The fixture looks after each test whether anything outside
 * has changed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/first_boot_fixture.h"

#define HUGE_SIZE ((off_t) 1 << 30)

/* What is put at path instead of what is there. "@" in a target is the tree outside. */
typedef enum Trap {
        TRAP_LINK,
        TRAP_FIFO,
        TRAP_FOLDER,
        TRAP_DEVICE,
        TRAP_HUGE,
        TRAP_SETUID,
        TRAP_HARD_LINK,
        TRAP_NUL,
} Trap;

typedef struct Row {
        const char *name;
        const char *path;
        Trap trap;
        const char *target;
        int result;
        const char *named; /* in the sentence; NULL: the path */
} Row;

static const Row rows[] = {
        { "etc is the host's", "/etc", TRAP_LINK, "@/etc", -ELOOP, "/etc/hostname" },
        { "etc leads up", "/etc", TRAP_LINK, "../../outside/etc", -ELOOP, "/etc/hostname" },
        { "etc is itself", "/etc", TRAP_LINK, "etc", -ELOOP, "/etc/hostname" },
        { "etc is a file", "/etc", TRAP_SETUID, NULL, -ENOTDIR, "/etc/hostname" },
        { "etc is a fifo", "/etc", TRAP_FIFO, NULL, -ENOTDIR, "/etc/hostname" },
        { "hostname link", "/etc/hostname", TRAP_LINK, "@/etc/hostname", 0, NULL },
        { "hostname fifo", "/etc/hostname", TRAP_FIFO, NULL, 0, NULL },
        { "hostname device", "/etc/hostname", TRAP_DEVICE, NULL, 0, NULL },
        { "hostname folder", "/etc/hostname", TRAP_FOLDER, NULL, -EISDIR, NULL },
        { "hostname shared", "/etc/hostname", TRAP_HARD_LINK, "@/etc/hostname", 0, NULL },
        { "hostname setuid", "/etc/hostname", TRAP_SETUID, NULL, 0, NULL },
        { "hostname huge", "/etc/hostname", TRAP_HUGE, NULL, 0, NULL },
        { "shadow link", "/etc/shadow", TRAP_LINK, "@/etc/shadow", -ELOOP, NULL },
        { "shadow fifo", "/etc/shadow", TRAP_FIFO, NULL, -EINVAL, NULL },
        { "shadow device", "/etc/shadow", TRAP_DEVICE, NULL, -EINVAL, NULL },
        { "shadow folder", "/etc/shadow", TRAP_FOLDER, NULL, -EISDIR, NULL },
        { "shadow huge", "/etc/shadow", TRAP_HUGE, NULL, -EFBIG, NULL },
        { "shadow shared", "/etc/shadow", TRAP_HARD_LINK, "@/etc/shadow", 0, NULL },
        { "shadow NUL", "/etc/shadow", TRAP_NUL, NULL, -EBADMSG, NULL },
        { "passwd fifo", "/etc/passwd", TRAP_FIFO, NULL, -EINVAL, NULL },
        { "passwd link", "/etc/passwd", TRAP_LINK, "@/etc/passwd", -ENOENT, NULL },
        { "machine-id link", "/etc/machine-id", TRAP_LINK, "@/keys", 0, NULL },
        { "dbus link", "/var/lib/dbus", TRAP_LINK, "@", 0, NULL },
        { "localtime folder", "/etc/localtime", TRAP_FOLDER, NULL, -EISDIR, NULL },
        { "localtime file", "/etc/localtime", TRAP_HARD_LINK, "@/keys", 0, NULL },
        { "resolv.conf link", "/etc/resolv.conf", TRAP_LINK, "@/keys", 0, NULL },
        { "resolv.conf fifo", "/etc/resolv.conf", TRAP_FIFO, NULL, 0, NULL },
        { "root link", "/root", TRAP_LINK, "@", -ELOOP, "/root/.ssh" },
        { ".ssh link", "/root/.ssh", TRAP_LINK, "@", -ELOOP, NULL },
        { ".ssh link inside", "/root/.ssh", TRAP_LINK, "/etc", -ELOOP, NULL },
        { ".ssh file", "/root/.ssh", TRAP_SETUID, NULL, -ENOTDIR, NULL },
        { "keys link", "/root/.ssh/authorized_keys", TRAP_LINK, "@/keys", -ELOOP, NULL },
        { "keys fifo", "/root/.ssh/authorized_keys", TRAP_FIFO, NULL, -EINVAL, NULL },
        { "keys huge", "/root/.ssh/authorized_keys", TRAP_HUGE, NULL, -EFBIG, NULL },
        { "keys shared", "/root/.ssh/authorized_keys", TRAP_HARD_LINK, "@/keys", 0, NULL },
        { "units link", "/etc/systemd", TRAP_LINK, "@/etc", -ELOOP, "/etc/systemd/system" },
        { "wants link", "/etc/systemd/system/multi-user.target.wants", TRAP_LINK, "@/etc", -ELOOP,
          NULL },
        { "unit fifo", "/usr/lib/systemd/system/systemd-networkd.service", TRAP_FIFO, NULL, 0,
          NULL },
        { "unit huge", "/usr/lib/systemd/system/systemd-networkd.service", TRAP_HUGE, NULL, -EFBIG,
          NULL },
        { "preset folder", "/etc/systemd/system-preset/10-ctvirt.preset", TRAP_FOLDER, NULL,
          -EISDIR, NULL },
        { "zoneinfo link", "/usr/share/zoneinfo", TRAP_LINK, "/dev", 0, NULL },
        { "archive fifo", "/usr/lib/locale/locale-archive", TRAP_FIFO, NULL, 0, NULL },
        { "archive device", "/usr/lib/locale/locale-archive", TRAP_DEVICE, NULL, 0, NULL },
};

static char *outside_target(const Fixture *f, const char *target) {
        return *target == '@' ? text_format("%s%s", f->outside, target + 1) : strdup(target);
}

static void put_file(const char *path, const char *content, size_t size) {
        assert_true(write_file_at(AT_FDCWD, path, content, size, 0644, 0) >= 0);
}

/* False if the trap cannot be made here. */
static bool set_trap(const Fixture *f, const Row *row) {
        _cleanup_free_ char *path = text_format("%s%s", f->tree, row->path), *target = NULL;

        temp_root_prepare(path);
        (void) nftw(path, temp_root_remove_one, 16, FTW_DEPTH | FTW_PHYS);
        target = row->target ? outside_target(f, row->target) : NULL;
        switch (row->trap) {
        case TRAP_LINK:
                return symlink(target, path) == 0;
        case TRAP_FIFO:
                return mkfifo(path, 0666) == 0;
        case TRAP_FOLDER:
                return mkdir(path, 0755) == 0;
        case TRAP_DEVICE:
                return mknod(path, S_IFCHR | 0666, makedev(1, 5)) == 0;
        case TRAP_HUGE:
                put_file(path, "", 0);
                return truncate(path, HUGE_SIZE) == 0;
        case TRAP_SETUID:
                put_file(path, "#!", 2);
                return chmod(path, 06777) == 0;
        case TRAP_HARD_LINK:
                return link(target, path) == 0;
        case TRAP_NUL:
                put_file(path, "root:*:1::::::\0\n", 16);
                return true;
        }
        return false;
}

static void check_row(const Row *row) {
        const char *named = row->named ? row->named : row->path;
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *text = NULL;
        int r;

        fixture_new(&f);
        if (!set_trap(&f, row)) {
                print_message("%s: cannot be made here\n", row->name);
                return;
        }
        r = fixture_apply(&f, FIXTURE_INTERFACE FIXTURE_FIRST_BOOT, 0, &text);
        if (r != row->result)
                fail_msg("%s: %d, %s", row->name, r, text);
        if (r < 0 && !strstr(text, named))
                fail_msg("%s: '%s' does not name %s", row->name, text, named);
        if (r >= 0 && row->trap == TRAP_SETUID &&
            (fixture_stat(&f, row->path).st_mode & 07777) != 0644)
                fail_msg("%s: the mode was kept", row->name);
}

static void test_traps(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                check_row(&rows[i]);
}

/* Distributions have symlinks too; they are followed inside. */
static void test_links_that_are_right(void **state) {
        _cleanup_free_ char *text = NULL, *etc = NULL, *moved = NULL;
        _cleanup_fixture_ Fixture f;

        fixture_new(&f);
        etc = text_format("%s/etc", f.tree);
        moved = text_format("%s/usr/etc", f.tree);
        assert_int_equal(rename(etc, moved), 0);
        temp_root_link(f.tree, "/etc", "/usr/etc");
        assert_int_equal(fixture_apply(&f, FIXTURE_INTERFACE FIXTURE_FIRST_BOOT, 0, &text), 0);
        fixture_expect(&f, "/usr/etc/hostname", "web.example.lan\n");
}

/* [Install] is written by whoever made the tree. */
static void test_unit_names(void **state) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *text = NULL;

        fixture_new(&f);
        temp_root_write(f.tree, "/usr/lib/systemd/system/systemd-networkd.service",
                        "[Install]\nWantedBy=../../../../../../outside/etc.target a.target\n"
                        "Alias=../../../keys.service /etc/passwd.service .hidden.service\n"
                        "Also=../../../etc/passwd systemd-networkd.service\n");
        assert_int_equal(fixture_apply(&f, FIXTURE_INTERFACE, 0, &text), 0);
        fixture_expect_link(&f, "/etc/systemd/system/a.target.wants/systemd-networkd.service",
                            "/usr/lib/systemd/system/systemd-networkd.service");
        fixture_expect_link(&f, "/etc/systemd/system/.hidden.service", NULL);
        fixture_expect_link(&f, "/keys.service", NULL);
}

/* Users whose line in passwd(5) is not what it should be. */
static void test_users(void **state) {
        static const struct {
                const char *passwd;
                int result;
        } users[] = {
                { "root:x:0:0::/../../../outside:/bin/sh\n", 0 },
                { "root:x:0:0::outside:/bin/sh\n", -EBADMSG },
                { "root:x:70000:0::/root:/bin/sh\n", -EBADMSG },
                { "root:x:-1:0::/root:/bin/sh\n", -EBADMSG },
                { "root:x:0:99999999999999999999::/root:/bin/sh\n", -EBADMSG },
                { "root:x:0\n", -EBADMSG },
                { "rootless:x:0:0::/root:/bin/sh\n", -ENOENT },
                { "root:x:0:0::/:/bin/sh\n", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(users); i++) {
                _cleanup_fixture_ Fixture f;
                _cleanup_free_ char *text = NULL;
                int r;

                fixture_new(&f);
                temp_root_write(f.tree, "/etc/passwd", users[i].passwd);
                r = fixture_apply(&f, FIXTURE_FIRST_BOOT, 0, &text);
                if (r != users[i].result)
                        fail_msg("%s: %d, %s", users[i].passwd, r, text);
        }
}

/* The same for the password of a tree that is there. */
static void check_password_row(const Row *row) {
        _cleanup_error_ Error *err = NULL;
        _cleanup_fixture_ Fixture f;
        int r;

        fixture_new(&f);
        if (!set_trap(&f, row))
                return;
        r = first_boot_set_password(f.fd, "root", FIXTURE_HASH, &err);
        if (r != row->result || (r < 0 && !strstr(err->text, "/etc/shadow")))
                fail_msg("%s: %d, %s", row->name, r, err ? err->text : "");
}

static void test_password_traps(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(rows[i].path, "/etc/shadow"))
                        check_password_row(&rows[i]);
}

static void test_lock_traps(void **state) {
        static const Row locks[] = {
                { "lock link", "/etc/.pwd.lock", TRAP_LINK, "@/keys", -ELOOP, NULL },
                { "lock fifo", "/etc/.pwd.lock", TRAP_FIFO, NULL, -EINVAL, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(locks); i++) {
                _cleanup_error_ Error *err = NULL;
                _cleanup_fixture_ Fixture f;

                fixture_new(&f);
                assert_true(set_trap(&f, &locks[i]));
                assert_int_equal(first_boot_set_password(f.fd, "root", FIXTURE_HASH, &err),
                                 locks[i].result);
                assert_non_null(strstr(err->text, "/etc/.pwd.lock"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_traps),          cmocka_unit_test(test_links_that_are_right),
                cmocka_unit_test(test_unit_names),     cmocka_unit_test(test_users),
                cmocka_unit_test(test_password_traps), cmocka_unit_test(test_lock_traps),
        };

        if (geteuid() != 0)
                return 77; /* owners cannot be changed */
        return cmocka_run_group_tests(tests, NULL, NULL);
}

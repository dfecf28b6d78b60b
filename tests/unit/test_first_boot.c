/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a root is told before its first boot: what stands in it then. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/bootstrap/root_tree.h"
#include "agent/bootstrap/rpm_database.h"
#include "tests/unit/first_boot_fixture.h"

#include <sys/wait.h>
#include <sys/xattr.h>

#define UNITS "/etc/systemd/system"

static void expect_password(const Fixture *f) {
        _cleanup_free_ char *shadow = temp_root_read(f->tree, "/etc/shadow");

        assert_non_null(shadow);
        assert_non_null(startswith(shadow, "root:" FIXTURE_HASH ":"));
        assert_null(strstr(shadow, FIXTURE_HASH ":1:"));
        assert_non_null(
                strstr(shadow, ":0:99999:7:::\nuser:!:2:0:99999:7:::\nrootuser:x:3::::::\n"));
}

static void test_system(void **state) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *text = NULL;

        fixture_new(&f);
        temp_root_write(f.tree, "/usr/share/zoneinfo/Europe/Berlin", "TZif");
        temp_root_write(f.tree, "/usr/lib/locale/de_DE.utf8/LC_TIME", "");
        temp_root_write(f.tree, "/etc/resolv.conf", "nameserver 10.0.0.1\n");
        temp_root_write(f.tree, "/var/lib/dbus/machine-id", "0123\n");
        assert_int_equal(fixture_apply(&f, FIXTURE_INTERFACE FIXTURE_FIRST_BOOT, 0, &text), 0);
        assert_string_equal(text, "");

        fixture_expect(&f, "/etc/hostname", "web.example.lan\n");
        fixture_expect(&f, "/etc/locale.conf", "LANG=de_DE.UTF-8\n");
        fixture_expect(&f, "/etc/default/locale", NULL);
        fixture_expect(&f, "/etc/vconsole.conf", "KEYMAP=de\n");
        fixture_expect_link(&f, "/etc/localtime", "../usr/share/zoneinfo/Europe/Berlin");
        fixture_expect(&f, "/etc/machine-id", "c7a5fdbdcdaf9455926ad65c16db1809\n");
        fixture_expect_link(&f, "/var/lib/dbus/machine-id", "/etc/machine-id");
        fixture_expect(&f, "/root/.ssh/authorized_keys", FIXTURE_KEY "\n");
        expect_password(&f);
        fixture_expect_link(&f, "/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
        fixture_expect_link(&f, UNITS "/dev-hugepages.mount", "/dev/null");
        fixture_expect_link(&f, UNITS "/multi-user.target.wants/systemd-networkd.service",
                            "/usr/lib/systemd/system/systemd-networkd.service");
        fixture_expect_link(&f, UNITS "/sockets.target.wants/systemd-networkd.socket",
                            "/usr/lib/systemd/system/systemd-networkd.socket");
        fixture_expect_link(&f, UNITS "/dbus-org.freedesktop.network1.service",
                            "/usr/lib/systemd/system/systemd-networkd.service");
        fixture_expect_link(&f, UNITS "/sysinit.target.wants/systemd-resolved.service",
                            "/usr/lib/systemd/system/systemd-resolved.service");
        assert_int_equal(fixture_stat(&f, "/etc/hostname").st_mode, S_IFREG | 0644);
        assert_int_equal(fixture_stat(&f, "/etc/machine-id").st_mode, S_IFREG | 0444);
        assert_int_equal(fixture_stat(&f, "/root/.ssh").st_mode, S_IFDIR | 0700);
        assert_int_equal(fixture_stat(&f, "/root/.ssh/authorized_keys").st_mode, S_IFREG | 0600);
}

/* An image that cannot be written to: what it was not told is said, setting by setting. */
static void test_image(void **state) {
        _cleanup_strv_ char **warnings = NULL;
        SshKeyDef key = { (char *) "root", (char *) "ssh-ed25519 x" };
        FirstBootDef first_boot = { .timezone = (char *) "Europe/Berlin" };
        ContainerDef def = { .name = (char *) "web" };

        assert_int_equal(first_boot_warn_image(&def, "why", &warnings), 0);
        assert_non_null(
                startswith(warnings[0], "the host name and machine ID are the image's own"));
        def.first_boot = &first_boot;
        assert_int_equal(first_boot_warn_image(&def, "why", &warnings), 0);
        assert_non_null(startswith(warnings[1], "<ct:timezone> of <ct:firstboot> was not applied"));
        assert_non_null(strstr(warnings[1], "written to (why)"));
        first_boot.ssh_keys = &key;
        first_boot.n_ssh_keys = 1;
        assert_int_equal(first_boot_warn_image(&def, "why", &warnings), 0);
        assert_non_null(startswith(
                warnings[2], "<ct:timezone>, <ct:sshkey> of <ct:firstboot> were not applied"));
}

/* No image at all: it is told of, and stops nothing. */
static void test_no_image(void **state) {
        _cleanup_strv_ char **warnings = NULL;
        ContainerDef def = { .name = (char *) "web" };
        const FirstBootPlan plan = { .def = &def };
        _cleanup_error_ Error *err = NULL;

        assert_int_equal(first_boot_apply_image("/nonexistent.raw", &plan, NULL, &warnings, &err),
                         0);
        assert_null(err);
        assert_int_equal(strv_length(warnings), 1);
}

/* The second time changes nothing, not even a time stamp. */
static void test_again(void **state) {
        _cleanup_free_ char *text = NULL, *again = NULL, *first = NULL, *second = NULL;
        _cleanup_fixture_ Fixture f;

        fixture_new(&f);
        assert_int_equal(fixture_apply(&f, FIXTURE_INTERFACE FIXTURE_FIRST_BOOT, 0, &text), 0);
        first = fixture_listing(f.tree);
        assert_int_equal(fixture_apply(&f, FIXTURE_INTERFACE FIXTURE_FIRST_BOOT, 0, &again), 0);
        second = fixture_listing(f.tree);
        assert_string_equal(first, second);
}

/* One that shares the host's network has neither networkd nor resolved, however they got enabled. */
static void test_application(void **state) {
        _cleanup_free_ char *text = NULL, *resolv = NULL, *preset = NULL, *again = NULL;
        _cleanup_fixture_ Fixture f;

        fixture_new(&f);
        assert_int_equal(fixture_apply(&f, FIXTURE_INTERFACE, 0, &again), 0);
        temp_root_link(f.tree, UNITS "/evil.target.requires/systemd-networkd.service",
                       "../../../../usr/lib/systemd/system/systemd-networkd.service");
        temp_root_link(f.tree, UNITS "/other.service",
                       "/usr/lib/systemd/system/systemd-networkd.socket");
        temp_root_link(f.tree, UNITS "/multi-user.target.wants/ssh.service",
                       "/usr/lib/systemd/system/ssh.service");
        assert_int_equal(fixture_apply(&f, FIXTURE_FIRST_BOOT, 0, &text), 0);

        fixture_expect_link(&f, UNITS "/multi-user.target.wants/systemd-networkd.service", NULL);
        fixture_expect_link(&f, UNITS "/sockets.target.wants/systemd-networkd.socket", NULL);
        fixture_expect_link(&f, UNITS "/dbus-org.freedesktop.network1.service", NULL);
        fixture_expect_link(&f, UNITS "/sysinit.target.wants/systemd-resolved.service", NULL);
        fixture_expect_link(&f, UNITS "/evil.target.requires/systemd-networkd.service", NULL);
        fixture_expect_link(&f, UNITS "/other.service", NULL);
        fixture_expect_link(&f, UNITS "/multi-user.target.wants/ssh.service",
                            "/usr/lib/systemd/system/ssh.service");
        assert_true(S_ISREG(fixture_stat(&f, "/etc/resolv.conf").st_mode));
        resolv = temp_root_read(f.tree, "/etc/resolv.conf");
        assert_true(endswith(resolv, "search example.lan lan\n"));
        preset = temp_root_read(f.tree, "/etc/systemd/system-preset/10-ctvirt.preset");
        assert_non_null(strstr(preset, "\ndisable systemd-networkd.service\n"));
}

static void test_defaults(void **state) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *text = NULL;

        fixture_new(&f);
        assert_int_equal(fixture_apply(&f, "", 0, &text), 0);
        fixture_expect(&f, "/etc/hostname", "web\n");
        fixture_expect(&f, "/etc/machine-id", "c7a5fdbdcdaf9455926ad65c16db1809\n");
        fixture_expect(&f, "/etc/locale.conf", NULL);
        fixture_expect_link(&f, "/etc/localtime", NULL);
        fixture_expect(&f, "/etc/shadow",
                       "root:*:1:0:99999:7:::\nuser:!:2:0:99999:7:::\nrootuser:x:3::::::\n");
}

static void test_uninitialized(void **state) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *text = NULL;

        fixture_new(&f);
        assert_int_equal(fixture_apply(&f,
                                       "<ct:firstboot><ct:machineid>uninitialized</ct:machineid>"
                                       "</ct:firstboot>",
                                       0, &text),
                         0);
        fixture_expect(&f, "/etc/machine-id", "uninitialized\n");
        fixture_expect_link(&f, UNITS "/systemd-firstboot.service", "/dev/null");
}

/* Nothing of systemd in it, as in an image of one program. */
static void test_bare_tree(void **state) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *text = NULL, *path = NULL;

        fixture_new(&f);
        path = text_format("%s/usr", f.tree);
        assert_int_equal(nftw(path, temp_root_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
        assert_int_equal(fixture_apply(&f, FIXTURE_INTERFACE, 0, &text), 0);
        assert_non_null(strstr(text, "no systemd-networkd"));
        fixture_expect_link(&f, UNITS "/dev-hugepages.mount", NULL);
        fixture_expect(&f, "/etc/systemd/system-preset/10-ctvirt.preset", NULL);
        fixture_expect_link(&f, "/etc/resolv.conf", NULL);
}

static void test_warnings(void **state) {
        _cleanup_free_ char *text = NULL, *agetty = NULL;
        _cleanup_fixture_ Fixture f;

        fixture_new(&f);
        temp_root_write(f.tree, "/etc/debian_version", "12.0\n");
        temp_root_write(f.tree, "/etc/timezone", "Etc/UTC\n");
        agetty = text_format("%s/sbin/agetty", f.tree);
        assert_int_equal(unlink(agetty), 0);
        assert_int_equal(fixture_apply(&f, FIXTURE_INTERFACE FIXTURE_FIRST_BOOT, 0, &text), 0);
        assert_non_null(strstr(text, "locale de_DE.UTF-8 is not installed"));
        assert_non_null(strstr(text, "time zone Europe/Berlin is not in"));
        assert_non_null(strstr(text, "no agetty"));
        fixture_expect(&f, "/etc/default/locale", "LANG=de_DE.UTF-8\n");
        fixture_expect(&f, "/etc/timezone", "Europe/Berlin\n");
}

/* The archive of the C library, as far as it is read. */
static void test_locale_archive(void **state) {
        struct {
                uint32_t head[8];
                char names[sizeof("en_US.utf8\0de_DE.utf8")];
        } archive = { .head = { 0xde020109, 0, 0, 0, 0, 32, sizeof(archive.names), 64 },
                      .names = "en_US.utf8\0de_DE.utf8" };
        _cleanup_free_ char *text = NULL, *path = NULL;
        _cleanup_fixture_ Fixture f;

        fixture_new(&f);
        path = text_format("%s/usr/lib/locale/locale-archive", f.tree);
        temp_root_prepare(path);
        assert_true(write_file_at(AT_FDCWD, path, (const char *) &archive, sizeof(archive), 0644,
                                  0) >= 0);
        assert_int_equal(fixture_apply(&f, FIXTURE_FIRST_BOOT, 0, &text), 0);
        assert_null(strstr(text, "locale"));
}

/* In a tree that is shifted already, everything new is too. */
static void test_shift(void **state) {
        _cleanup_free_ char *text = NULL, *shadow = NULL;
        _cleanup_fixture_ Fixture f;
        struct stat st;

        fixture_new(&f);
        shadow = text_format("%s/etc/shadow", f.tree);
        assert_int_equal(chown(shadow, 524288, 524288 + 42), 0);
        assert_int_equal(chmod(shadow, 0640), 0);
        assert_int_equal(fixture_apply(&f,
                                       FIXTURE_INTERFACE
                                       "<ct:firstboot><ct:rootpassword hash='" FIXTURE_HASH
                                       "'/><ct:sshkey user='user'>" FIXTURE_KEY
                                       "</ct:sshkey></ct:firstboot>",
                                       524288, &text),
                         0);
        st = fixture_stat(&f, "/etc/hostname");
        assert_true(st.st_uid == 524288 && st.st_gid == 524288);
        st = fixture_stat(&f, "/etc/resolv.conf");
        assert_true(st.st_uid == 524288 && st.st_gid == 524288);
        st = fixture_stat(&f, "/home");
        assert_true(st.st_uid == 524288 && st.st_gid == 524288);
        st = fixture_stat(&f, "/home/user/.ssh/authorized_keys");
        assert_true(st.st_uid == 524288 + 1000 && st.st_gid == 524288 + 1001);
        st = fixture_stat(&f, "/home/user");
        assert_true(st.st_uid == 524288 + 1000 && (st.st_mode & 0777) == 0700);
        st = fixture_stat(&f, "/etc/shadow");
        assert_true(st.st_uid == 524288 && st.st_gid == 524288 + 42);
        assert_int_equal(st.st_mode, S_IFREG | 0640);
}

static void test_keys_are_added(void **state) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *text = NULL;

        fixture_new(&f);
        temp_root_write(f.tree, "/root/.ssh/authorized_keys", "ssh-rsa AAAA old");
        assert_int_equal(fixture_apply(&f, FIXTURE_FIRST_BOOT, 0, &text), 0);
        fixture_expect(&f, "/root/.ssh/authorized_keys", "ssh-rsa AAAA old\n" FIXTURE_KEY "\n");
}

static void test_set_password(void **state) {
        _cleanup_error_ Error *nobody = NULL;
        _cleanup_fixture_ Fixture f;

        fixture_new(&f);
        assert_int_equal(first_boot_set_password(f.fd, "root", FIXTURE_HASH, NULL), 0);
        expect_password(&f);
        assert_int_equal(first_boot_set_password(f.fd, "roo", FIXTURE_HASH, &nobody), -ENOENT);
        assert_non_null(strstr(nobody->text, "'roo'"));
        assert_int_equal(first_boot_set_password(f.fd, "root", "password", NULL), -EINVAL);
        assert_int_equal(first_boot_set_password(f.fd, "root:x", FIXTURE_HASH, NULL), -EINVAL);
        assert_int_equal(first_boot_set_password(f.fd, "", FIXTURE_HASH, NULL), -EINVAL);
        temp_root_write(f.tree, "/etc/shadow", "root:*\n");
        assert_int_equal(first_boot_set_password(f.fd, "root", FIXTURE_HASH, NULL), -EBADMSG);
        fixture_expect(&f, "/etc/shadow", "root:*\n");
}

/* Somebody in the container is just changing one. */
static void test_locked(void **state) {
        _cleanup_free_ char *path = NULL;
        _cleanup_fixture_ Fixture f;
        int ready[2], done[2], status;
        char byte = 0;
        pid_t pid;

        fixture_new(&f);
        path = text_format("%s/etc/.pwd.lock", f.tree);
        temp_root_write(f.tree, "/etc/.pwd.lock", "");
        assert_int_equal(pipe(ready), 0);
        assert_int_equal(pipe(done), 0);
        pid = fork();
        if (pid == 0) {
                struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
                int fd = open(path, O_WRONLY | O_CLOEXEC);

                if (fd < 0 || fcntl(fd, F_SETLK, &whole) < 0 || write(ready[1], &byte, 1) != 1)
                        _exit(1);
                (void) close(done[1]);
                _exit(read(done[0], &byte, 1) == 0 ? 0 : 1);
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        assert_int_equal(first_boot_set_password(f.fd, "root", FIXTURE_HASH, NULL), -EBUSY);
        (void) close(done[0]);
        (void) close(done[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        (void) close(ready[0]);
        (void) close(ready[1]);
        assert_int_equal(first_boot_set_password(f.fd, "root", FIXTURE_HASH, NULL), 0);
}

/* passwd under SELinux fails for a label that it may not make; here the old one is kept. */
static void test_label(void **state) {
        static const char label[] = "system_u:object_r:shadow_t:s0";
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *path = NULL;
        char found[128] = "";

        fixture_new(&f);
        path = text_format("%s/etc/shadow", f.tree);
        if (setxattr(path, "security.selinux", label, sizeof(label), 0) < 0) {
                print_message("labels cannot be set here (%s)\n", strerror(errno));
                return;
        }
        assert_int_equal(first_boot_set_password(f.fd, "root", FIXTURE_HASH, NULL), 0);
        expect_password(&f);
        assert_true(getxattr(path, "security.selinux", found, sizeof(found)) > 0);
        assert_string_equal(found, label);
}

static void test_rpm(void **state) {
        _cleanup_fixture_ Fixture f;
        _cleanup_free_ char *text = NULL;

        fixture_new(&f);
        assert_int_equal(rpm_database_needs_rebuild(f.fd), 0);
        temp_root_write(f.tree, "/usr/lib/rpm/macros",
                        "#%_dbpath /x\n%_dbpath\t\t%{_var}/lib/rpm\n%_db_backend\t      bdb\n");
        temp_root_write(f.tree, "/root/.rpmdb/rpmdb.sqlite", "new");
        temp_root_write(f.tree, "/var/lib/rpm/rpmdb.sqlite", "old");
        assert_int_equal(fixture_apply(&f, "", 0, &text), 0);
        fixture_expect(&f, "/etc/rpm/macros.netshared", "%_netsharedpath /sys:/proc\n");
        fixture_expect(&f, "/var/lib/rpm/rpmdb.sqlite", "new");
        fixture_expect(&f, "/root/.rpmdb/rpmdb.sqlite", NULL);
        assert_int_equal(rpm_database_needs_rebuild(f.fd), 1);
        temp_root_write(f.tree, "/usr/lib/rpm/macros",
                        "%_dbpath %{_usr}/lib/sysimage/rpm\n%_db_backend sqlite\n");
        assert_int_equal(rpm_database_needs_rebuild(f.fd), 0);
        temp_root_write(f.tree, "/usr/lib/sysimage/rpm/rpmdb.sqlite", "");
        assert_int_equal(rpm_database_needs_rebuild(f.fd), 0);
        temp_root_write(f.tree, "/usr/lib/sysimage/rpm/Packages", "");
        assert_int_equal(rpm_database_needs_rebuild(f.fd), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_system),        cmocka_unit_test(test_again),
                cmocka_unit_test(test_image),         cmocka_unit_test(test_no_image),
                cmocka_unit_test(test_application),   cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_uninitialized), cmocka_unit_test(test_bare_tree),
                cmocka_unit_test(test_warnings),      cmocka_unit_test(test_locale_archive),
                cmocka_unit_test(test_shift),         cmocka_unit_test(test_keys_are_added),
                cmocka_unit_test(test_set_password),  cmocka_unit_test(test_locked),
                cmocka_unit_test(test_label),         cmocka_unit_test(test_rpm),
        };

        if (geteuid() != 0)
                return 77; /* owners cannot be changed */
        return cmocka_run_group_tests(tests, NULL, NULL);
}

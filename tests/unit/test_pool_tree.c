/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Copying, measuring and removing trees that strangers have made, on real filesystems.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "agent/pool/beneath.h"
#include "agent/pool/tree_copy.h"
#include "agent/pool/tree_remove.h"
#include "agent/pool/tree_usage.h"
#include "pool_fixture.h"
#include "units/dir_list.h"

static int open_folder(const char *path) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void set_flag(const char *path, unsigned flag, bool on) {
        assert_int_equal(beneath_set_flags(AT_FDCWD, ".", 0, 0), 0);
        run("chattr %c%c %s", on ? '+' : '-', flag == FS_IMMUTABLE_FL ? 'i' : 'a', path);
}

/* Everything that a tree can have in it. */
static void make_rich_tree(const char *path) {
        static const char capability[] = { 0, 0, 0, 2, 0, 0x20, 0, 0, 0, 0,
                                           0, 0, 0, 0, 0, 0,    0, 0, 0, 0 };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_free_ char *file = NULL, *link = NULL, *node = NULL;
        int fd;

        run("mkdir -p %s/usr/bin %s/var/empty %s/etc && echo hello >%s/usr/bin/tool", path, path,
            path, path);
        run("ln %s/usr/bin/tool %s/etc/second && ln -s ../../outside %s/usr/link", path, path,
            path);
        run("mkfifo -m 0620 %s/etc/fifo && mknod -m 0640 %s/etc/device c 1 3", path, path);
        run("chown 1234:5678 %s/usr/bin/tool %s/etc/fifo %s/var/empty", path, path, path);
        run("chown -h 77:88 %s/usr/link; chmod 4755 %s/usr/bin/tool; chmod 1733 %s/var/empty", path,
            path, path);
        run("touch -d @1000000000 %s/usr/bin/tool %s/var/empty; touch -h -d @1100000000 "
            "%s/usr/link; touch -d @1200000000 %s/usr %s",
            path, path, path, path, path);
        run("truncate -s 100M %s/var/sparse; printf end >>%s/var/sparse; : >%s/var/none", path,
            path, path);
        run("printf 'a' >'%s/etc/ name\n with \\strange $(characters)'", path);

        file = text_format("%s/usr/bin/tool", path);
        link = text_format("%s/usr/link", path);
        node = text_format("%s/etc", path);
        assert_int_equal(setxattr(file, "security.capability", capability, sizeof(capability), 0),
                         0);
        assert_int_equal(setxattr(file, "user.note", "x", 1, 0), 0);
        assert_int_equal(lsetxattr(link, "trusted.note", "y", 1, 0), 0);
        assert_int_equal(setxattr(node, "trusted.overlay.opaque", "y", 1, 0), 0);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/etc/socket", path);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        (void) close(fd);
        /* Making it has changed the folder. */
        run("touch -d @1300000000 %s/etc", path);
}

static void assert_rich_tree(const char *path) {
        struct stat st, second;
        _cleanup_free_ char *file = NULL, *other = NULL;
        char value[64];

        file = text_format("%s/usr/bin/tool", path);
        assert_int_equal(stat(file, &st), 0);
        assert_int_equal(st.st_uid, 1234);
        assert_int_equal(st.st_gid, 5678);
        assert_int_equal(st.st_mode & 07777, 04755);
        assert_int_equal(st.st_mtime, 1000000000);
        assert_int_equal(st.st_nlink, 2);
        assert_int_equal(getxattr(file, "security.capability", value, sizeof(value)), 20);
        assert_int_equal(getxattr(file, "user.note", value, sizeof(value)), 1);

        other = text_format("%s/etc/second", path);
        assert_int_equal(stat(other, &second), 0);
        assert_int_equal(second.st_ino, st.st_ino);

        run("test \"$(readlink %s/usr/link)\" = ../../outside", path);
        run("test \"$(stat -c '%%u:%%g %%Y' %s/usr/link)\" = '77:88 1100000000'", path);
        run("test \"$(stat -c '%%F %%a %%u' %s/etc/fifo)\" = 'fifo 620 1234'", path);
        run("test \"$(stat -c '%%F %%a %%t:%%T' %s/etc/device)\" = 'character special file 640 "
            "1:3'",
            path);
        run("test \"$(stat -c '%%a %%Y' %s/var/empty)\" = '1733 1000000000'", path);
        run("test \"$(stat -c %%Y %s %s/usr %s/etc)\" = '1200000000\n1200000000\n1300000000'", path,
            path, path);
        run("test \"$(stat -c %%s %s/var/sparse)\" = 104857603", path);
        run("test \"$(stat -c %%b %s/var/sparse)\" -lt 2048", path);
        run("test \"$(tail -c 3 %s/var/sparse)\" = end", path);
        run("test \"$(cat '%s/etc/ name\n with \\strange $(characters)')\" = a", path);
        run("test ! -e %s/etc/socket", path);
        free(file);
        file = text_format("%s/usr/link", path);
        assert_int_equal(lgetxattr(file, "trusted.note", value, sizeof(value)), 1);
        free(file);
        file = text_format("%s/etc", path);
        assert_int_equal(getxattr(file, "trusted.overlay.opaque", value, sizeof(value)), 1);
}

static void test_copy_has_everything(void **state) {
        _cleanup_free_ char *folder = test_folder_new();
        _cleanup_close_ int from = -1, to = -1;
        _cleanup_free_ char *a = text_format("%s/a", folder), *b = text_format("%s/b", folder);

        run("mkdir %s %s", a, b);
        make_rich_tree(a);
        from = open_folder(a);
        to = open_folder(b);
        assert_ok(tree_copy(from, to, NULL, err));
        assert_rich_tree(b);
        /* And the source is as it was. */
        run("test \"$(cat %s/usr/bin/tool)\" = hello", a);
}

static void test_copy_of_acl(void **state) {
        _cleanup_free_ char *folder = test_folder_new();
        _cleanup_close_ int from = -1, to = -1;
        _cleanup_free_ char *a = text_format("%s/a", folder), *b = text_format("%s/b", folder);
        /* u::rw- u:1000:r-- g::--- m::r-- o::--- (linux/posix_acl_xattr.h) */
        static const unsigned char acl[] = {
                2, 0,    0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  4,
                0, 0xe8, 3,   0,   0,   4,   0,  0, 0,   255, 255, 255, 255, 16, 0,
                4, 0,    255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255
        };
        _cleanup_free_ char *file = text_format("%s/secret", a),
                            *copy = text_format("%s/secret", b);
        unsigned char value[64];
        struct stat st;

        run("mkdir %s %s && : >%s", a, b, file);
        assert_int_equal(setxattr(file, "system.posix_acl_access", acl, sizeof(acl), 0), 0);
        from = open_folder(a);
        to = open_folder(b);
        assert_ok(tree_copy(from, to, NULL, err));
        assert_int_equal(getxattr(copy, "system.posix_acl_access", value, sizeof(value)),
                         sizeof(acl));
        assert_memory_equal(value, acl, sizeof(acl));
        assert_int_equal(stat(copy, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
}

static void test_copy_of_immutable(void **state) {
        _cleanup_free_ char *folder = test_folder_new();
        _cleanup_close_ int top = -1, from = -1, to = -1;
        _cleanup_free_ char *a = text_format("%s/a", folder), *b = text_format("%s/b", folder);
        _cleanup_free_ char *deploy = text_format("%s/deploy", a), *log = text_format("%s/log", a);
        struct statx st;

        run("mkdir -p %s/deploy/usr %s && echo x >%s/deploy/usr/file && ln %s/deploy/usr/file "
            "%s/deploy/linked && : >%s",
            a, b, a, a, a, log);
        run("chattr +i %s/deploy/usr/file", a);
        set_flag(deploy, FS_IMMUTABLE_FL, true);
        set_flag(log, FS_APPEND_FL, true);
        from = open_folder(a);
        to = open_folder(b);
        assert_ok(tree_copy(from, to, NULL, err));
        assert_int_equal(beneath_stat(to, "deploy", &st), 0);
        assert_true(st.stx_attributes & STATX_ATTR_IMMUTABLE);
        assert_int_equal(beneath_stat(to, "deploy/usr/file", &st), 0);
        assert_true(st.stx_attributes & STATX_ATTR_IMMUTABLE);
        assert_int_equal(st.stx_nlink, 2);
        assert_int_equal(beneath_stat(to, "log", &st), 0);
        assert_true(st.stx_attributes & STATX_ATTR_APPEND);

        top = open_folder(folder);
        assert_ok(tree_remove(top, "a", NULL, err));
        assert_ok(tree_remove(top, "b", NULL, err));
        run("test -z \"$(ls -A %s)\"", folder);
}

static void test_copy_does_not_cross_mounts(void **state) {
        _cleanup_free_ char *folder = test_folder_new();
        _cleanup_close_ int top = -1, from = -1, to = -1;
        _cleanup_free_ char *a = text_format("%s/a", folder), *b = text_format("%s/b", folder);

        run("mkdir -p %s/proc %s && mount -t tmpfs tmpfs %s/proc && : >%s/proc/secret", a, b, a, a);
        from = open_folder(a);
        to = open_folder(b);
        assert_ok(tree_copy(from, to, NULL, err));
        run("test -d %s/proc && test ! -e %s/proc/secret", b, b);

        /* Nor does a removal, which says so before it has removed anything. */
        run(": >%s/before", a);
        top = open_folder(folder);
        assert_refused(tree_remove(top, "a", NULL, err), EBUSY, "/a/proc'");
        run("test -e %s/before && test -e %s/proc/secret", a, a);
        run("umount %s/proc", a);
        assert_ok(tree_remove(top, "a", NULL, err));
}

/* Links out of the tree are copied as what they are, and removed as what they are. */
static void test_links_lead_nowhere(void **state) {
        _cleanup_free_ char *folder = test_folder_new();
        _cleanup_close_ int top = -1, from = -1, to = -1;

        run("cd %s && mkdir -p a b outside && echo keep >outside/file && ln -s ../outside a/folder "
            "&& ln -s ../outside/file a/file && ln -s %s/outside a/absolute",
            folder, folder);
        top = open_folder(folder);
        from = beneath_open(top, "a", O_RDONLY | O_DIRECTORY);
        to = beneath_open(top, "b", O_RDONLY | O_DIRECTORY);
        assert_ok(tree_copy(from, to, NULL, err));
        run("cd %s/b && test -L folder && test -L file && test -L absolute", folder);
        assert_ok(tree_remove(top, "a", NULL, err));
        run("test \"$(cat %s/outside/file)\" = keep", folder);

        /* A link in the tree's place is not what it points to either. */
        run("cd %s && ln -s outside link", folder);
        assert_ok(tree_remove(top, "link", NULL, err));
        run("test -e %s/outside/file", folder);
        assert_int_equal(beneath_open(top, "../0", O_RDONLY), -EXDEV);
}

/* It would copy what it has copied, again and again. */
static void test_copy_into_itself(void **state) {
        _cleanup_free_ char *folder = test_folder_new();
        _cleanup_close_ int from = -1, to = -1;

        run("cd %s && mkdir -p a/b/c && echo hello >a/file", folder);
        from = open_folder(folder);
        {
                _cleanup_free_ char *inner = text_format("%s/a/b/c", folder);

                to = open_folder(inner);
        }
        assert_refused(tree_copy(from, to, NULL, err), EINVAL, "have itself in it");
        assert_refused(tree_copy(to, to, NULL, err), EINVAL, "have itself in it");
        run("test -z \"$(ls -A %s/a/b/c)\"", folder);
}

#define DEEP 20000

/* Far beyond what a path can name, and what can be open at the same time. */
static void test_very_deep_tree(void **state) {
        _cleanup_free_ char *folder = test_folder_new();
        _cleanup_close_ int top = open_folder(folder), to = -1;
        int fd = -1;

        assert_int_equal(mkdirat(top, "a", 0700), 0);
        fd = openat(top, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (unsigned i = 0; i < DEEP; i++) {
                int inner;

                assert_int_equal(mkdirat(fd, "d", 0700), 0);
                inner = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                assert_true(inner >= 0);
                (void) close(fd);
                fd = inner;
                if (i % 1000 == 0)
                        assert_int_equal(mknodat(fd, "file", S_IFREG | 0600, 0), 0);
        }
        (void) close(fd);

        assert_int_equal(mkdirat(top, "b", 0700), 0);
        to = beneath_open(top, "b", O_RDONLY | O_DIRECTORY);
        fd = beneath_open(top, "a", O_RDONLY | O_DIRECTORY);
        assert_refused(tree_copy(fd, to, NULL, err), ENAMETOOLONG, "deeper than a path");
        (void) close(fd);

        assert_ok(tree_remove(top, "a", NULL, err));
        assert_ok(tree_remove(top, "b", NULL, err));
        run("test -z \"$(ls -A %s)\"", folder);
}

/* Names that the removal itself would use. */
static void test_wide_tree_with_taken_names(void **state) {
        _cleanup_free_ char *folder = test_folder_new();
        _cleanup_close_ int top = open_folder(folder);

        run("cd %s && mkdir a && cd a && for i in 0 1 2 3; do mkdir .up-$i; : >.up-$i/x; done && "
            "mkdir -p $(printf 'd/%%.0s' $(seq 200)) && mkdir -p $(printf 'e/%%.0s' $(seq 100))/f "
            "&& seq 3000 | sed 's/^/file/' | xargs touch",
            folder);
        assert_ok(tree_remove(top, "a", NULL, err));
        run("test -z \"$(ls -A %s)\"", folder);
        assert_refused(tree_remove(top, "a", NULL, err), ENOENT, "'a'");
}

static int stop_at_once(void *userdata, uint64_t done_bytes, const char *path) {
        (*(unsigned *) userdata)++;
        return -ECANCELED;
}

static void test_cancel(void **state) {
        _cleanup_free_ char *folder = test_folder_new();
        _cleanup_close_ int top = open_folder(folder), from = -1, to = -1;
        unsigned calls = 0;
        const TreeProgress progress = { stop_at_once, &calls };

        run("cd %s && mkdir -p a/x/y b", folder);
        from = beneath_open(top, "a", O_RDONLY | O_DIRECTORY);
        to = beneath_open(top, "b", O_RDONLY | O_DIRECTORY);
        assert_int_equal(tree_copy(from, to, &progress, NULL), -ECANCELED);
        assert_int_equal(calls, 1);
        assert_int_equal(tree_remove(top, "a", &progress, NULL), -ECANCELED);
        assert_int_equal(calls, 2);
        run("test -d %s/a", folder);
}

/* A fifo that took the place of a file would make the one who writes to it go on. */
static void test_only_files_are_opened(void **state) {
        _cleanup_free_ char *path = test_folder_new();
        _cleanup_close_ int fd = open_folder(path), file = -1;

        run("cd %s && mkfifo fifo && mknod device c 1 3 && mkdir folder && ln -s file link && echo x "
            ">file",
            path);
        assert_int_equal(beneath_open_regular(fd, "fifo", O_RDONLY), -ESTALE);
        assert_int_equal(beneath_open_regular(fd, "device", O_RDONLY), -ESTALE);
        assert_int_equal(beneath_open_regular(fd, "folder", O_RDONLY), -ESTALE);
        assert_true(beneath_open_regular(fd, "link", O_RDONLY) < 0);
        assert_int_equal(beneath_open_regular(fd, "none", O_RDONLY), -ENOENT);
        file = beneath_open_regular(fd, "file", O_RDONLY);
        assert_true(file >= 0);
}

static void test_many_names(void **state) {
        _cleanup_free_ char *path = test_folder_new();
        _cleanup_close_ int fd = open_folder(path);
        _cleanup_strv_ char **names = NULL, **none = NULL;

        assert_int_equal(dir_list_fd(fd, &none), 0);
        assert_null(none);
        run("cd %s && seq -w 5000 | xargs touch", path);
        assert_int_equal(dir_list_fd(fd, &names), 0);
        assert_int_equal(strv_length(names), 5000);
        assert_string_equal(names[0], "0001");
        assert_string_equal(names[4999], "5000");
}

static void test_usage(void **state) {
        _cleanup_free_ char *folder = test_folder_new();
        _cleanup_close_ int top = open_folder(folder);
        uint64_t usage, linked;

        run("cd %s && mkdir a && head -c 4M /dev/urandom >a/file && truncate -s 1G a/sparse && "
            "sync -f .",
            folder);
        assert_int_equal(tree_usage(top, "a", NULL, &usage), 0);
        assert_in_range(usage, 4 << 20, 5 << 20);
        run("ln %s/a/file %s/a/again", folder, folder);
        assert_int_equal(tree_usage(top, "a", NULL, &linked), 0);
        assert_in_range(linked, usage, usage + 65536);
        assert_int_equal(tree_usage(top, "nothing", NULL, &usage), -ENOENT);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_has_everything),
        cmocka_unit_test(test_copy_of_acl),
        cmocka_unit_test(test_copy_of_immutable),
        cmocka_unit_test(test_copy_does_not_cross_mounts),
        cmocka_unit_test(test_links_lead_nowhere),
        cmocka_unit_test(test_copy_into_itself),
        cmocka_unit_test(test_very_deep_tree),
        cmocka_unit_test(test_wide_tree_with_taken_names),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_only_files_are_opened),
        cmocka_unit_test(test_many_names),
};

int main(void) {
        int failed;

        enter_mount_namespace();
        failed = cmocka_run_group_tests_name("btrfs", tests, setup_btrfs, filesystem_teardown);
        failed += cmocka_run_group_tests_name("ext4", tests, setup_ext4, filesystem_teardown);
        return failed;
}

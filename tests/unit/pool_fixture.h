#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Real filesystems for tests of the pool: each on a loop device, in a mount namespace of the test's
 * own, so that all is gone with the process. To be included after cmocka.h.
 */

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "agent/pool/pool.h"
#include "agent/pool/pool_backend.h"
#include "agent/pool/tree_remove.h"
#include "units/text.h"

typedef struct TestFilesystem {
        const char *name;
        const char *mkfs, *options;
} TestFilesystem;

static const TestFilesystem test_btrfs = { "btrfs", "mkfs.btrfs -q", "loop" };
static const TestFilesystem test_ext4 = { "ext4", "mkfs.ext4 -q -N 60000", "loop" };

/* Where the filesystem of this group of tests is mounted; each test has a folder in it. */
static char filesystem_path[64];
static unsigned filesystem_tests;

/* Runs a command and fails the test if that fails. */
_printf_(1, 2) _unused_ static void run(const char *format, ...) {
        _cleanup_free_ char *command = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&command, format, ap);
        va_end(ap);
        assert_true(n > 0);
        if (system(command) != 0)
                fail_msg("failed: %s", command);
}

/* Ends the program as skipped when we may not mount. */
_unused_ static void enter_mount_namespace(void) {
        if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
                (void) fprintf(stderr, "skipped: needs root, to mount filesystems\n");
                exit(77);
        }
        if (access("/dev/loop-control", F_OK) < 0) {
                (void) fprintf(stderr, "skipped: there are no loop devices\n");
                exit(77);
        }
}

/* Other tests have loop devices too, and there may be few of them. */
static bool mount_with_patience(const char *options, const char *image, const char *path) {
        _cleanup_free_ char *command =
                text_format("mount -o %s %s %s 2>/dev/null", options, image, path);

        for (unsigned i = 0; i < 100; i++) {
                if (system(command) == 0)
                        return true;
                (void) usleep(200000);
        }
        return false;
}

_unused_ static int filesystem_setup(const TestFilesystem *fs) {
        _cleanup_free_ char *image = NULL;
        const char *tmp = getenv("TMPDIR");

        (void) snprintf(filesystem_path, sizeof(filesystem_path), "%s/ctvirt-test-XXXXXX",
                        tmp ? tmp : "/tmp");
        assert_non_null(mkdtemp(filesystem_path));
        if (!fs)
                return 0;
        image = text_format("%s.image", filesystem_path);
        run("truncate -s 600M %s && %s %s >/dev/null 2>&1", image, fs->mkfs, image);
        if (!mount_with_patience(fs->options, image, filesystem_path)) {
                (void) fprintf(stderr, "cannot mount %s on a loop device\n", fs->name);
                (void) unlink(image);
                return -1;
        }
        /* The mount keeps it. */
        return unlink(image);
}

_unused_ static int setup_btrfs(void **state) {
        return filesystem_setup(&test_btrfs);
}

_unused_ static int setup_ext4(void **state) {
        return filesystem_setup(&test_ext4);
}

_unused_ static int filesystem_teardown(void **state) {
        (void) umount2(filesystem_path, MNT_DETACH);
        return rmdir(filesystem_path);
}

/* A folder of its own for each test, on that filesystem. */
_unused_ static char *test_folder_new(void) {
        char *path = text_format("%s/%u", filesystem_path, filesystem_tests++);

        assert_non_null(path);
        assert_int_equal(mkdir(path, 0755), 0);
        return path;
}

_unused_ static Pool *test_pool_new(char **ret_root) {
        Error *err = NULL;
        char *root = test_folder_new();
        Pool *p = NULL;

        if (pool_open(root, &p, &err) < 0)
                fail_msg("%s", err ? err->text : "no error text");
        *ret_root = root;
        return p;
}

/* Fails the test with the sentence of the error. */
#define assert_ok(call)                                                                            \
        do {                                                                                       \
                Error *_err = NULL, **err _unused_ = &_err;                                        \
                int _r = (call);                                                                   \
                if (_r < 0)                                                                        \
                        fail_msg(#call ": %s: %s", strerror(-_r),                                  \
                                 _err && _err->text ? _err->text : "(no sentence)");               \
        } while (0)

/* The call fails with that errno and a sentence that has these words in it. */
#define assert_refused(call, code, words)                                                          \
        do {                                                                                       \
                _cleanup_error_ Error *_err = NULL;                                                \
                Error **err _unused_ = &_err;                                                      \
                int _r = (call);                                                                   \
                if (_r != -(code) || !_err || !_err->text || !strstr(_err->text, words))           \
                        fail_msg(#call ": %d (%s): %s", _r, _r < 0 ? strerror(-_r) : "no error",   \
                                 _err && _err->text ? _err->text : "(no sentence)");               \
        } while (0)

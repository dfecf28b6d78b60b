/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/fileio.h"

DEFINE_CLEANUP(DIR *, closedir)

static int folder = -1;

static int set_up(void **state) {
        char template[] = "/tmp/ctvirt-fileio-XXXXXX";

        if (!mkdtemp(template))
                return -1;
        *state = strdup(template);
        folder = open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return folder < 0 ? -1 : 0;
}

static int tear_down(void **state) {
        _cleanup_(closedirp) DIR *dir = opendir(*state);
        const struct dirent *e;

        while (dir && (e = readdir(dir)))
                if (unlinkat(folder, e->d_name, 0) < 0)
                        (void) unlinkat(folder, e->d_name, AT_REMOVEDIR);
        (void) rmdir(*state);
        free(*state);
        close(folder);
        return 0;
}

static int write_text(const char *name, const char *text, mode_t mode, WriteFlags flags) {
        return write_file_at(folder, name, text, strlen(text), mode, flags);
}

static void assert_content(const char *name, const char *wanted) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(read_file_at(folder, name, 100, false, &text, NULL), 0);
        assert_string_equal(text, wanted);
}

static size_t n_files(const char *path) {
        _cleanup_(closedirp) DIR *dir = opendir(path);
        size_t n = 0;

        assert_non_null(dir);
        while (readdir(dir))
                n++;
        return n - 2;
}

static void test_write_and_read(void **state) {
        _cleanup_free_ char *text = NULL;
        struct stat st;
        size_t size;

        assert_int_equal(write_file_at(folder, "a", "x\0y", 3, 0640, WRITE_SYNC), 1);
        assert_int_equal(read_file_at(folder, "a", 3, false, &text, &size), 0);
        assert_int_equal(size, 3);
        assert_memory_equal(text, "x\0y", 4);
        assert_int_equal(fstatat(folder, "a", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(n_files(*state), 1);
}

static void test_empty_file(void **state) {
        assert_int_equal(write_text("a", "", 0600, 0), 1);
        assert_content("a", "");
}

static void test_read_is_bounded(void **state) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(write_text("a", "12345", 0600, 0), 1);
        assert_int_equal(read_file_at(folder, "a", 4, false, &text, NULL), -EFBIG);
        assert_null(text);
        assert_int_equal(read_file_at(folder, "a", 5, false, &text, NULL), 0);
}

static void test_read_refuses_other_kinds(void **state) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(read_file_at(folder, "none", 10, false, &text, NULL), -ENOENT);
        assert_int_equal(mkfifoat(folder, "fifo", 0600), 0);
        assert_int_equal(read_file_at(folder, "fifo", 10, true, &text, NULL), -EINVAL);
        assert_int_equal(mkdirat(folder, "dir", 0700), 0);
        assert_int_equal(read_file_at(folder, "dir", 10, true, &text, NULL), -EINVAL);
        assert_int_equal(read_file_at(AT_FDCWD, "/dev/zero", 10, true, &text, NULL), -EINVAL);
        assert_null(text);
}

static void test_read_symlink(void **state) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(write_text("a", "text", 0600, 0), 1);
        assert_int_equal(symlinkat("a", folder, "link"), 0);
        assert_int_equal(read_file_at(folder, "link", 10, false, &text, NULL), -ELOOP);
        assert_int_equal(read_file_at(folder, "link", 10, true, &text, NULL), 0);
        assert_string_equal(text, "text");
}

/* A link is replaced, not written through. */
static void test_write_symlink(void **state) {
        struct stat st;

        assert_int_equal(write_text("a", "old", 0600, 0), 1);
        assert_int_equal(symlinkat("a", folder, "link"), 0);
        assert_int_equal(write_text("link", "new", 0600, WRITE_IF_CHANGED), 1);
        assert_content("a", "old");
        assert_content("link", "new");
        assert_int_equal(fstatat(folder, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISREG(st.st_mode));
}

static ino_t inode_of(const char *name) {
        struct stat st;

        assert_int_equal(fstatat(folder, name, &st, 0), 0);
        return st.st_ino;
}

static void test_write_if_changed(void **state) {
        ino_t inode;

        assert_int_equal(write_text("a", "one", 0600, WRITE_IF_CHANGED), 1);
        inode = inode_of("a");
        assert_int_equal(write_text("a", "one", 0600, WRITE_IF_CHANGED), 0);
        assert_int_equal(inode_of("a"), inode);
        assert_int_equal(write_text("a", "two", 0600, WRITE_IF_CHANGED), 1);
        assert_content("a", "two");
        assert_int_equal(write_text("a", "two", 0644, WRITE_IF_CHANGED), 1);
        assert_int_equal(write_text("a", "two", 0644, 0), 1);
}

static void test_write_no_replace(void **state) {
        assert_int_equal(write_text("a", "one", 0600, WRITE_NO_REPLACE), 1);
        assert_int_equal(write_text("a", "two", 0600, WRITE_NO_REPLACE), -EEXIST);
        assert_content("a", "one");
        assert_int_equal(n_files(*state), 1);
}

/* A reader that has the file open keeps the old content: the name moved, the file did not change.
 */
static void test_write_is_atomic(void **state) {
        _cleanup_close_ int fd = -1;
        char buffer[4] = "";

        assert_int_equal(write_text("a", "old", 0600, 0), 1);
        fd = openat(folder, "a", O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write_text("a", "new", 0600, 0), 1);
        assert_int_equal(read(fd, buffer, 3), 3);
        assert_string_equal(buffer, "old");
        assert_content("a", "new");
}

static void test_failed_write_leaves_nothing(void **state) {
        assert_int_equal(mkdirat(folder, "dir", 0700), 0);
        assert_int_equal(write_text("dir", "x", 0600, 0), -EISDIR);
        assert_int_equal(write_text("none/a", "x", 0600, 0), -ENOENT);
        assert_int_equal(n_files(*state), 1);
}

static void test_write_like_parent(void **state) {
        struct stat st;

        assert_int_equal(write_text("a", "x", 0600, WRITE_LIKE_PARENT), 1);
        assert_int_equal(fstatat(folder, "a", &st, 0), 0);
        assert_int_equal(st.st_uid, getuid());
}

static void test_write_below_folder(void **state) {
        assert_int_equal(mkdirat(folder, "dir", 0700), 0);
        assert_int_equal(write_text("dir/a", "x", 0600, WRITE_SYNC), 1);
        assert_content("dir/a", "x");
        assert_int_equal(remove_file_at(folder, "dir/a"), 1);
        assert_int_equal(remove_file_at(folder, "dir/a"), 0);
        assert_int_equal(remove_file_at(folder, "none/a"), 0);
        assert_true(remove_file_at(folder, "dir") < 0);
}

static void test_read_stream(void **state) {
        _cleanup_free_ char *text = NULL;
        int fds[2];
        size_t size;

        assert_int_equal(pipe(fds), 0);
        assert_int_equal(write(fds[1], "hello", 5), 5);
        close(fds[1]);
        assert_int_equal(read_stream(fds[0], 5, &text, &size), 0);
        assert_string_equal(text, "hello");
        assert_int_equal(size, 5);
        close(fds[0]);
}

static void test_read_stream_is_bounded(void **state) {
        _cleanup_close_ int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *text = NULL;

        assert_true(fd >= 0);
        assert_int_equal(read_stream(fd, 100000, &text, NULL), -EFBIG);
        assert_null(text);
}

static void test_make_directories(void **state) {
        _cleanup_free_ char *path = NULL;

        assert_true(asprintf(&path, "%s/x/y", (const char *) *state) > 0);
        assert_int_equal(make_directories(path, 0700), 0);
        assert_int_equal(make_directories(path, 0700), 0);
        assert_int_equal(unlinkat(folder, "x/y", AT_REMOVEDIR), 0);
        assert_int_equal(write_text("a", "", 0600, 0), 1);
        free(path);
        assert_true(asprintf(&path, "%s/a/y", (const char *) *state) > 0);
        assert_int_equal(make_directories(path, 0700), -ENOTDIR);
}

static void test_temporary_names(void **state) {
        assert_true(is_temporary_name(".#web.xml.0123456789abcdef"));
        assert_false(is_temporary_name("web.xml"));
        assert_false(is_temporary_name(".web.xml"));
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                IN_FOLDER(test_write_and_read),    IN_FOLDER(test_empty_file),
                IN_FOLDER(test_read_is_bounded),   IN_FOLDER(test_read_refuses_other_kinds),
                IN_FOLDER(test_read_symlink),      IN_FOLDER(test_write_symlink),
                IN_FOLDER(test_write_if_changed),  IN_FOLDER(test_write_no_replace),
                IN_FOLDER(test_write_is_atomic),   IN_FOLDER(test_failed_write_leaves_nothing),
                IN_FOLDER(test_write_like_parent), IN_FOLDER(test_write_below_folder),
                IN_FOLDER(test_read_stream),       IN_FOLDER(test_read_stream_is_bounded),
                IN_FOLDER(test_make_directories),  IN_FOLDER(test_temporary_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

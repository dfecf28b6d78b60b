/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/cli/whole_file.h"
#include "base/fileio.h"

/* A folder of its own for each test, the working directory. */
static int setup(void **state) {
        char folder[] = "/tmp/whole_file.XXXXXX";

        if (!mkdtemp(folder) || chdir(folder) < 0)
                return -1;
        *state = strdup(folder);
        return *state ? 0 : -1;
}

static int teardown(void **state) {
        static const char *const names[] = { "file", "link" };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void) unlink(names[i]);
        r = chdir("/") < 0 ? -1 : rmdir(*state);
        free(*state);
        return r;
}

static void assert_content(const char *path, const char *expected) {
        _cleanup_free_ char *content = NULL;

        assert_int_equal(read_file_at(AT_FDCWD, path, 100, true, &content, NULL), 0);
        assert_string_equal(content, expected);
}

static mode_t mode_of(const char *path) {
        struct stat st;

        assert_int_equal(lstat(path, &st), 0);
        return st.st_mode;
}

static unsigned count_names(void) {
        DIR *dir = opendir(".");
        unsigned n = 0;

        assert_non_null(dir);
        for (struct dirent *e; (e = readdir(dir));)
                n += !streq(e->d_name, ".") && !streq(e->d_name, "..");
        (void) closedir(dir);
        return n;
}

static void make_old(mode_t mode) {
        assert_int_equal(write_file_at(AT_FDCWD, "file", "old", 3, mode, 0), 1);
}

static WholeFile *begin(const char *path) {
        WholeFile *f = NULL;

        assert_int_equal(whole_file_new(&f, path), 0);
        assert_int_equal(write(whole_file_fd(f), "new", 3), 3);
        return f;
}

static void test_new(void **state) {
        WholeFile *f = begin("file");

        assert_int_equal(access("file", F_OK), -1);
        assert_int_equal(whole_file_commit(f), 0);
        whole_file_free(f);
        assert_content("file", "new");
        assert_int_equal(mode_of("file"), S_IFREG | 0600);
        assert_int_equal(count_names(), 1);
}

static void test_replaced(void **state) {
        WholeFile *f;

        make_old(0640);
        f = begin("./file");
        assert_content("file", "old");
        assert_int_equal(whole_file_commit(f), 0);
        whole_file_free(f);
        assert_content("file", "new");
        assert_int_equal(mode_of("file"), S_IFREG | 0640);
        assert_int_equal(count_names(), 1);
}

static void test_dropped(void **state) {
        whole_file_free(begin("file"));
        assert_int_equal(count_names(), 0);

        make_old(0600);
        whole_file_free(begin("file"));
        assert_content("file", "old");
        assert_int_equal(count_names(), 1);
}

static void test_symlink(void **state) {
        WholeFile *f;

        make_old(0600);
        assert_int_equal(symlink("file", "link"), 0);
        f = begin("link");
        assert_int_equal(whole_file_commit(f), 0);
        whole_file_free(f);
        assert_true(S_ISLNK(mode_of("link")));
        assert_content("file", "new");
        assert_int_equal(count_names(), 2);
}

static void test_refused(void **state) {
        static const struct {
                const char *path;
                int error;
        } cases[] = {
                { "", -ENOENT },      { ".", -EISDIR },          { "/", -EISDIR },
                { "new/", -EISDIR },  { "nope/file", -ENOENT },  { "link", -ENOENT },
                { "file/", -EISDIR }, { "file/file", -ENOTDIR },
        };

        make_old(0600);
        assert_int_equal(symlink("nope", "link"), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                WholeFile *f = NULL;

                assert_int_equal(whole_file_new(&f, cases[i].path), cases[i].error);
                assert_null(f);
        }
        assert_int_equal(count_names(), 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_new, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
                cmocka_unit_test_setup_teardown(test_dropped, setup, teardown),
                cmocka_unit_test_setup_teardown(test_symlink, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        };

        return cmocka_run_group_tests_name("whole_file", tests, NULL, NULL);
}

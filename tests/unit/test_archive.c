/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Trees become archives and archives trees, with all that a tree can have; also through the tar
 * programs of the host.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "agent/pool/archive.h"
#include "temp_root.h"
#include "test_tree.h"

static const ArchiveLimits *const limits = &archive_default_limits;

static void check_ok(int r, Error *err) {
        if (r < 0)
                fail_msg("%s", err ? err->text : strerror(-r));
}

static void pack(const char *tree, const char *prefix, int fd, Compression compression) {
        _cleanup_close_ int tree_fd = tree_open(tree);
        _cleanup_error_ Error *err = NULL;

        check_ok(archive_pack(tree_fd, prefix, fd, compression, NULL, &err), err);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static void unpack(int fd, const char *tree) {
        _cleanup_close_ int tree_fd = tree_open(tree);
        _cleanup_error_ Error *err = NULL;

        check_ok(archive_unpack(fd, tree_fd, limits, 0, NULL, &err), err);
}

static void check_same(const char *a, const char *b) {
        _cleanup_free_ char *x = tree_list(a), *y = tree_list(b);

        assert_string_equal(x, y);
}

static void test_roundtrip(void **state) {
        _cleanup_root_ char *from = temp_root_new();

        tree_fill(from);
        for (int c = COMPRESSION_NONE; c <= COMPRESSION_ZSTD; c++) {
                _cleanup_root_ char *to = temp_root_new();
                _cleanup_close_ int fd = tree_memory_file();

                pack(from, "", fd, (Compression) c);
                unpack(fd, to);
                check_same(from, to);
        }
}

/* The same tree is the same archive, also when it was unpacked from it. */
static void test_same_bytes(void **state) {
        _cleanup_root_ char *from = temp_root_new(), *to = temp_root_new();
        _cleanup_close_ int a = tree_memory_file(), b = tree_memory_file();
        struct stat st, st_b;
        void *x, *y;

        tree_fill(from);
        pack(from, "root/", a, COMPRESSION_NONE);
        pack(from, "", b, COMPRESSION_NONE);
        unpack(b, to);
        assert_int_equal(ftruncate(b, 0), 0);
        assert_int_equal(lseek(b, 0, SEEK_SET), 0);
        pack(to, "root/", b, COMPRESSION_NONE);
        assert_true(fstat(a, &st) == 0 && fstat(b, &st_b) == 0);
        assert_int_equal(st.st_size, st_b.st_size);
        x = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, a, 0);
        y = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, b, 0);
        assert_true(x != MAP_FAILED && y != MAP_FAILED);
        assert_memory_equal(x, y, (size_t) st.st_size);
        /* Holes are not in it. */
        assert_true(st.st_size < 1024 * 1024);
        (void) munmap(x, (size_t) st.st_size);
        (void) munmap(y, (size_t) st.st_size);
}

static void test_gnu_tar(void **state) {
        _cleanup_root_ char *from = temp_root_new(), *to = temp_root_new(), *back = temp_root_new();
        _cleanup_free_ char *file = text_format("%s.tar", from);
        _cleanup_close_ int fd = tree_file(file);
        const char *const extract[] = { "tar",    "--xattrs", "--xattrs-include=*",
                                        "--acls", "-p",       "--numeric-owner",
                                        "-xf",    file,       "-C",
                                        to,       NULL };
        const char *const create[] = { "tar",
                                       "--xattrs",
                                       "--xattrs-include=*",
                                       "--acls",
                                       "-S",
                                       "--numeric-owner",
                                       "--format=pax",
                                       "--warning=no-file-ignored",
                                       "-cf",
                                       file,
                                       "-C",
                                       from,
                                       ".",
                                       NULL };

        tree_fill(from);
        pack(from, "", fd, COMPRESSION_NONE);
        assert_true(tree_run(extract, 0));
        check_same(from, to);

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_true(tree_run(create, 0));
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        unpack(fd, back);
        check_same(from, back);
        assert_int_equal(unlink(file), 0);
}

/* In a UTF-8 locale it composes the characters of names, in another it complains about
 * them, and it sets no time of "./". */
static void test_bsdtar(void **state) {
        _cleanup_root_ char *from = temp_root_new(), *to = temp_root_new(), *back = temp_root_new();
        _cleanup_free_ char *file = text_format("%s.tar", from), *root = text_format("%s/root", to);
        _cleanup_close_ int fd = tree_file(file);
        const char *const extract[] = { "env",    "LC_ALL=C", "bsdtar", "-p", "--numeric-owner",
                                        "--acls", "--xattrs", "-xf",    file, "-C",
                                        to,       NULL };
        const char *const create[] = { "env",    "LC_ALL=C", "bsdtar",      "--numeric-owner",
                                       "--acls", "--xattrs", "--no-fflags", "--format=pax",
                                       "-czf",   file,       "-C",          from,
                                       ".",      NULL };

        tree_fill(from);
        pack(from, "root/", fd, COMPRESSION_ZSTD);
        if (!tree_run(extract, 1)) {
                (void) unlink(file);
                skip();
        }
        check_same(from, root);

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_true(tree_run(create, 1));
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        unpack(fd, back);
        check_same(from, back);
        assert_int_equal(unlink(file), 0);
}

static void test_empty_tree(void **state) {
        _cleanup_root_ char *from = temp_root_new(), *to = temp_root_new();
        _cleanup_close_ int fd = tree_memory_file();

        assert_int_equal(chmod(from, 0711), 0);
        pack(from, "", fd, COMPRESSION_XZ);
        unpack(fd, to);
        check_same(from, to);
}

/* security.selinux and its like are the host's business, unless they are asked for. */
static void test_labels(void **state) {
        _cleanup_root_ char *from = temp_root_new();

        temp_root_write(from, "/file", "x");
        _cleanup_free_ char *file = text_format("%s/file", from);
        if (setxattr(file, "security.selinux", "a:b:c:s0", 9, 0) < 0)
                skip();
        for (int keep = 0; keep < 2; keep++) {
                _cleanup_root_ char *to = temp_root_new();
                _cleanup_free_ char *copy = text_format("%s/file", to);
                _cleanup_close_ int fd = tree_memory_file(), to_fd = tree_open(to);
                _cleanup_error_ Error *err = NULL;
                char value[100];

                pack(from, "", fd, COMPRESSION_NONE);
                check_ok(archive_unpack(fd, to_fd, limits, keep ? UNPACK_LABELS : 0, NULL, &err),
                         err);
                if (keep) {
                        assert_int_equal(getxattr(copy, "security.selinux", value, 100), 9);
                        assert_string_equal(value, "a:b:c:s0");
                } else
                        assert_int_equal(getxattr(copy, "security.selinux", value, 100), -1);
        }
}

typedef struct Steps {
        unsigned n, end;
        uint64_t bytes;
} Steps;

static int count_steps(void *userdata, uint64_t bytes, const char *path) {
        Steps *s = userdata;

        assert_non_null(path);
        assert_true(bytes >= s->bytes);
        s->bytes = bytes;
        return ++s->n == s->end ? -ECANCELED : 0;
}

static void test_progress(void **state) {
        _cleanup_root_ char *from = temp_root_new(), *to = temp_root_new();
        _cleanup_close_ int fd = tree_memory_file(), from_fd = tree_open(from),
                            to_fd = tree_open(to);
        Steps steps = { 0 };
        const TreeProgress progress = { .step = count_steps, .userdata = &steps };
        _cleanup_error_ Error *err = NULL;

        for (int i = 0; i < 20; i++) {
                _cleanup_free_ char *name = text_format("/%d", i);
                _cleanup_free_ char *content = calloc(1, 100001);

                memset(content, 'x', 100000);
                temp_root_write(from, name, content);
        }
        check_ok(archive_pack(from_fd, "", fd, COMPRESSION_NONE, &progress, &err), err);
        assert_true(steps.n >= 20 && steps.bytes == 2000000);

        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        steps = (Steps){ .end = 10 };
        assert_int_equal(archive_unpack(fd, to_fd, limits, 0, &progress, &err), -ECANCELED);
        assert_string_equal(err->text, "canceled");
        assert_int_equal(steps.n, 10);

        steps = (Steps){ .end = 10 };
        assert_int_equal(archive_pack(from_fd, "", fd, COMPRESSION_GZIP, &progress, NULL),
                         -ECANCELED);
        assert_int_equal(steps.n, 10);
}

/* Makes a file longer while it is read. */
static int append(void *userdata, uint64_t bytes, const char *path) {
        int fd = *(int *) userdata;

        if (bytes > 0)
                assert_int_equal(write(fd, "more", 4), 4);
        return 0;
}

static int cut(void *userdata, uint64_t bytes, const char *path) {
        if (bytes > 0)
                assert_int_equal(ftruncate(*(int *) userdata, 10), 0);
        return 0;
}

static void test_changed(void **state) {
        static int (*const changes[])(void *userdata, uint64_t bytes, const char *path) = { append,
                                                                                            cut };

        for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
                _cleanup_root_ char *from = temp_root_new();
                _cleanup_free_ char *file = text_format("%s/log", from);
                _cleanup_close_ int fd = tree_memory_file(), from_fd = tree_open(from),
                                    file_fd = tree_file(file);
                const TreeProgress progress = { .step = changes[i], .userdata = &file_fd };
                _cleanup_error_ Error *err = NULL;
                _cleanup_free_ char *content = malloc(1024 * 1024);

                memset(content, 'x', 1024 * 1024);
                assert_int_equal(write(file_fd, content, 1024 * 1024), 1024 * 1024);
                assert_int_equal(archive_pack(from_fd, "", fd, COMPRESSION_NONE, &progress, &err),
                                 -ESTALE);
                assert_non_null(strstr(err->text, "entry \"log\": it was changed"));
        }
}

/* An archive whose writing failed must not look like a whole one. */
static void test_full_disk(void **state) {
        _cleanup_root_ char *from = temp_root_new();
        _cleanup_close_ int from_fd = tree_open(from),
                            full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        _cleanup_error_ Error *err = NULL;

        if (full < 0)
                skip();
        assert_int_equal(archive_pack(from_fd, "", full, COMPRESSION_NONE, NULL, &err), -ENOSPC);
        assert_string_equal(err->text, "the archive cannot be written: No space left on device");
}

static void test_names(void **state) {
        for (int c = COMPRESSION_NONE; c <= COMPRESSION_ZSTD; c++)
                assert_int_equal(compression_from_string(compression_to_string((Compression) c)),
                                 c);
        assert_int_equal(compression_from_string("zip"), -EINVAL);
        assert_int_equal(compression_from_string(""), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),      cmocka_unit_test(test_roundtrip),
                cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_gnu_tar),
                cmocka_unit_test(test_bsdtar),     cmocka_unit_test(test_empty_tree),
                cmocka_unit_test(test_labels),     cmocka_unit_test(test_progress),
                cmocka_unit_test(test_changed),    cmocka_unit_test(test_full_disk),
        };

        if (geteuid() != 0) {
                (void) fputs("needs root\n", stderr);
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}

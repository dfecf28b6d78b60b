/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Archives that want out of the tree, that want all memory, time or disk, and damaged ones.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "agent/pool/archive.h"
#include "tar_builder.h"
#include "temp_root.h"
#include "test_tree.h"

static const ArchiveLimits limits = {
        .entries = 2000,
        .bytes = 32 * 1024 * 1024,
        .ratio = 100,
        .ratio_from = 1024 * 1024,
};

/* A tree to unpack into, with what must stay as it is around it. */
typedef struct Place {
        char *folder; /* with "tree" and the canary in it */
        char *tree;
        char *before; /* what is in folder, without the tree */
} Place;

static Place place_new(void) {
        Place p = { .folder = temp_root_new() };

        temp_root_write(p.folder, "/canary/file", "canary");
        _cleanup_free_ char *canary = text_format("%s/canary", p.folder);
        p.tree = text_format("%s/tree", p.folder);
        assert_int_equal(mkdir(p.tree, 0755), 0);
        p.before = tree_list(canary);
        return p;
}

static void place_done(Place *p) {
        _cleanup_free_ char *canary = text_format("%s/canary", p->folder);
        _cleanup_free_ char *after = tree_list(canary);

        assert_string_equal(p->before, after);
        (void) temp_root_free(p->folder);
        free(p->tree);
        free(p->before);
}
#define _cleanup_place_ _cleanup_(place_done)

static int unpack_fd(const Place *p, int fd, const ArchiveLimits *l, char **ret_text) {
        _cleanup_close_ int tree_fd = tree_open(p->tree);
        _cleanup_error_ Error *err = NULL;
        int r;

        r = archive_unpack(fd, tree_fd, l, 0, NULL, &err);
        assert_true(r == 0 || (r < 0 && err && err->code == -r));
        if (ret_text)
                *ret_text = r < 0 ? strdup(err->text) : NULL;
        return r;
}

static int unpack_bytes(const Place *p, const char *data, size_t size, char **ret_text) {
        _cleanup_close_ int fd = tree_memory_file();

        assert_int_equal(write(fd, data, size), (ssize_t) size);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return unpack_fd(p, fd, &limits, ret_text);
}

/* One situation: entries, and what is said about them. */
typedef struct Case {
        const char *name;
        TarEntry entries[6];
        int result;
        const char *text; /* in the error */
        const char *file; /* "/path", that must be there afterwards */
} Case;

static const Case cases[] = {
        { "parent", { { "../canary/file", .content = "x" } }, -EPERM, "leads out of the tree" },
        { "parent later",
          { { "a/", '5' }, { "a/../../canary/file", .content = "x" } },
          -EPERM,
          "leads out of the tree" },
        { "only parent", { { "..", '5' } }, -EPERM, "leads out of the tree" },
        { "absolute", { { "/etc/ctvirt-test", .content = "x" } }, -EPERM, "an absolute name" },
        { "no name", { { "", .content = "x" } }, -EBADMSG, "without a name" },
        { "file for the tree", { { ".", .content = "x" } }, -EBADMSG, "is no folder" },
        { "symlink for the tree", { { "./", '2', "../canary" } }, -EBADMSG, "is no folder" },
        { "file through symlink",
          { { "l", '2', "../canary" }, { "l/file", .content = "x" } },
          -EPERM,
          "behind a symbolic link" },
        { "folder through symlink",
          { { "l", '2', "../canary" }, { "l/new/", '5' } },
          -EPERM,
          "behind a symbolic link" },
        { "deep through symlink",
          { { "l", '2', "../canary" }, { "l/a/b/c", .content = "x" } },
          -EPERM,
          "behind a symbolic link" },
        { "through symlink in the tree",
          { { "a/", '5' }, { "l", '2', "a" }, { "l/file", .content = "x" } },
          -EPERM,
          "behind a symbolic link" },
        { "file over symlink",
          { { "l", '2', "../canary/file" }, { "l", .content = "x" } },
          0,
          .file = "/l" },
        { "folder over symlink",
          { { "l", '2', "../canary" }, { "l/", '5' }, { "l/file", .content = "x" } },
          0,
          .file = "/l/file" },
        { "folder replaced by symlink",
          { { "d/", '5' }, { "d", '2', "../canary" }, { "d/file", .content = "x" } },
          -EPERM,
          "behind a symbolic link" },
        { "folder in use replaced by symlink",
          { { "d/e/", '5' },
            { "d/e/f", .content = "x" },
            { "d/e/f", '2', "x" },
            { "d/e", '2', "../../canary" } },
          -EBADMSG,
          "as a folder with something in it too" },
        { "last folder removed",
          { { "d/f", .content = "x" },
            { "x", .content = "y" },
            { "d/f", '5' },
            { "d/f", '2', "z" },
            { "d/g", .content = "w" } },
          0,
          .file = "/d/g" },
        { "folder below a file",
          { { "f", .content = "x" }, { "f/g", .content = "x" } },
          -EBADMSG,
          "in something that is no folder" },
        { "device replaced",
          { { "n", '3', .device_major = 1, .device_minor = 3 }, { "n", .content = "x" } },
          0,
          .file = "/n" },
        { "fifo replaced", { { "n", '6' }, { "n", .content = "x" } }, 0, .file = "/n" },
        { "hard link out", { { "h", '1', "../canary/file" } }, -EPERM, "leads out of the tree" },
        { "hard link absolute", { { "h", '1', "/etc/passwd" } }, -EPERM, "an absolute name" },
        { "hard link to nothing", { { "h", '1', "none" } }, -ENOENT, "hard link to" },
        { "hard link to a symlink",
          { { "l", '2', "../canary/file" }, { "h", '1', "l" } },
          -EPERM,
          "a hard link to what is no regular file" },
        { "hard link through a symlink",
          { { "l", '2', "../canary" }, { "h", '1', "l/file" } },
          -EPERM,
          "behind a symbolic link" },
        { "hard link to a folder",
          { { "d/", '5' }, { "h", '1', "d" } },
          -EPERM,
          "a hard link to what is no regular file" },
        { "hard link to a device",
          { { "n", '3', .device_major = 1, .device_minor = 3 }, { "h", '1', "n" } },
          -EPERM,
          "a hard link to what is no regular file" },
        { "hard link to itself", { { "f", .content = "x" }, { "f", '1', "f" } }, 0, .file = "/f" },
        { "hard link over its target and back",
          { { "f", .content = "x" },
            { "g", .content = "y" },
            { "g", '1', "./f" },
            { "f", '1', "g" } },
          0,
          .file = "/f" },
        { "file over a hard link",
          { { "f", .content = "x" }, { "g", '1', "f" }, { "g", .content = "other" } },
          0,
          .file = "/f" },
        { "symlink to nothing", { { "l", '2', "" } }, -EBADMSG, "a symbolic link to nothing" },
        { "unknown owner",
          { { "f", .content = "x", .uid_text = "\x80\x01\x01\x01\x01\x01\x01\x01" } },
          -EBADMSG,
          "no valid one" },
        { "negative owner",
          { { "f", .content = "x", .uid_text = "\xff\xff\xff\xff\xff\xff\xff\xf0" } },
          -EBADMSG,
          "no valid one" },
        { "control characters",
          { { "\x1b[31m\n/../x", .content = "x" } },
          -EPERM,
          "entry \"\\x1b[31m\\n/../x\": its name leads" },
        { "no UTF-8", { { "\xff\xc3/..", .content = "x" } }, -EPERM, "entry \"\\xff\\xc3/..\"" },
        { "negative size",
          { { "f", .size_text = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0" } },
          -EBADMSG,
          "" },
        { "huge size", { { "f", .size_text = "77777777777" } }, -EBADMSG, "" },
        { "enormous size",
          { { "f", .size_text = "\x8f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" } },
          -EBADMSG,
          "" },
        { "name with dots and slashes",
          { { "././/a//./b/", '5' }, { "a/b/c", .content = "x" } },
          0,
          .file = "/a/b/c" },
        { "folders that are missing", { { "a/b/c", .content = "x" } }, 0, .file = "/a/b/c" },
        { "a file of ours",
          { { ".#ctvirt-folders", .content = "x" }, { "d/", '5' } },
          0,
          .file = "/.#ctvirt-folders" },
};

static void check_case(const Case *c) {
        _cleanup_place_ Place p = place_new();
        _cleanup_free_ char *data = NULL, *text = NULL;
        size_t size;
        FILE *f = open_memstream(&data, &size);
        int r;

        for (size_t i = 0; i < ELEMENTSOF(c->entries) && c->entries[i].name; i++)
                tar_put(f, c->entries[i]);
        tar_end(f);
        assert_int_equal(fclose(f), 0);
        r = unpack_bytes(&p, data, size, &text);
        if (r != c->result || (r < 0 && !strstr(text, c->text)))
                fail_msg("%s: %s: %s", c->name, strerror(-r), text ? text : "");
        if (c->file) {
                _cleanup_free_ char *path = text_format("%s%s", p.tree, c->file);
                struct stat st;

                assert_int_equal(lstat(path, &st), 0);
                assert_true(S_ISREG(st.st_mode));
        }
}

static void test_cases(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check_case(&cases[i]);
}

/* What a file has replaced keeps nothing of it: a hard link to it has the old content. */
static void test_replaced_file(void **state) {
        _cleanup_place_ Place p = place_new();
        _cleanup_free_ char *data = NULL, *f_content = NULL, *g_content = NULL;
        size_t size;
        FILE *f = open_memstream(&data, &size);

        tar_put(f, (TarEntry){ "f", .content = "old", .mode = 04755 });
        tar_put(f, (TarEntry){ "g", '1', "f" });
        tar_put(f, (TarEntry){ "f", .content = "new" });
        tar_end(f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(unpack_bytes(&p, data, size, NULL), 0);
        f_content = temp_root_read(p.tree, "/f");
        g_content = temp_root_read(p.tree, "/g");
        assert_string_equal(f_content, "new");
        assert_string_equal(g_content, "old");
}

static void test_limits(void **state) {
        static const char content[1024 * 1024] = { 1 };
        _cleanup_place_ Place p = place_new(), q = place_new();
        _cleanup_free_ char *data = NULL, *text = NULL, *big = NULL, *big_text = NULL;
        size_t size;
        FILE *f = open_memstream(&data, &size);

        for (unsigned i = 0; i <= limits.entries; i++) {
                _cleanup_free_ char *name = text_format("d%u/", i);

                tar_put(f, (TarEntry){ name, '5', .mode = 0755 });
        }
        tar_end(f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(unpack_bytes(&p, data, size, &text), -EFBIG);
        assert_string_equal(text, "entry \"d2000/\": the archive has more than 2000 entries");

        f = open_memstream(&big, &size);
        for (unsigned i = 0; i < 33; i++)
                tar_put(f, (TarEntry){ "same", .content = content, .size = sizeof(content) });
        tar_end(f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(unpack_bytes(&q, big, size, &big_text), -EFBIG);
        assert_string_equal(big_text,
                            "entry \"same\": the archive has more than 33554432 bytes of content");
}

/* Compresses what is in memory with a program of the host; -1 if it is not here. */
static int compressed(const char *program, const char *data, size_t size) {
        _cleanup_free_ char *path = strdup("/tmp/ctvirt-test-bomb-XXXXXX");
        int fd = mkstemp(path), pipes[2];
        pid_t pid;
        int status;

        assert_true(fd >= 0 && pipe2(pipes, O_CLOEXEC) == 0);
        (void) unlink(path);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void) dup2(pipes[0], 0);
                (void) dup2(fd, 1);
                (void) execlp(program, program, "-c", NULL);
                _exit(127);
        }
        (void) close(pipes[0]);
        while (size > 0) {
                ssize_t n = write(pipes[1], data, size);

                if (n < 0)
                        break;
                data += n;
                size -= (size_t) n;
        }
        (void) close(pipes[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 127) {
                (void) close(fd);
                return -1;
        }
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

static char *bomb(char type, size_t content_size, size_t *ret_size) {
        _cleanup_free_ char *content = calloc(1, content_size);
        char *data = NULL;
        FILE *f = open_memstream(&data, ret_size);

        tar_put(f, (TarEntry){ "zeros", type, .content = content, .size = content_size });
        tar_end(f);
        assert_int_equal(fclose(f), 0);
        return data;
}

/* In a file, in a header, and in what is skipped. */
static void test_bomb(void **state) {
        static const char *const programs[] = { "gzip", "xz", "zstd", "bzip2" };
        static const char types[] = { '0', '5', 'x', 'L' };

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                _cleanup_free_ char *data = NULL;
                size_t size;

                data = bomb(types[i], 30 * 1024 * 1024, &size);
                for (size_t j = 0; j < ELEMENTSOF(programs); j++) {
                        _cleanup_place_ Place p = place_new();
                        _cleanup_close_ int fd = compressed(programs[j], data, size);
                        int r;

                        if (fd < 0)
                                continue;
                        r = unpack_fd(&p, fd, &limits, NULL);
                        assert_true(r == -EFBIG || (types[i] >= 'A' && r == -EBADMSG));
                }
        }
}

static void test_compressed_twice(void **state) {
        _cleanup_place_ Place p = place_new();
        _cleanup_free_ char *data = NULL, *once = NULL, *text = NULL;
        _cleanup_close_ int a = -1, b = -1;
        size_t size;

        data = bomb('0', 1000, &size);
        a = compressed("gzip", data, size);
        assert_int_equal(read_stream(a, 1024 * 1024, &once, &size), 0);
        b = compressed("xz", once, size);
        assert_int_equal(unpack_fd(&p, b, &limits, &text), -EBADMSG);
        assert_string_equal(text, "the archive is compressed twice");
}

/* What libarchive keeps in memory: names, pax headers, maps of sparse files. The process's peak
 * tells how much that was. */
static void check_header_bomb(const char *data, size_t size) {
        _cleanup_place_ Place p = place_new();
        struct rusage before, after;
        int r;

        assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
        r = unpack_bytes(&p, data, size, NULL);
        assert_true(r == -EFBIG || r == -EBADMSG);
        assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
        assert_true(after.ru_maxrss - before.ru_maxrss < 512 * 1024);
}

static void test_header_bombs(void **state) {
        static const char types[] = { 'L', 'K', 'x', 'g' };
        const size_t content_size = 20 * 1024 * 1024;
        _cleanup_free_ char *content = malloc(content_size);

        memset(content, 'a', content_size);
        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                _cleanup_free_ char *data = NULL, *many = NULL;
                size_t size;
                FILE *f = open_memstream(&data, &size);

                tar_put(f, (TarEntry){ "././@LongLink", types[i], .content = content,
                                       .size = content_size });
                tar_put(f, (TarEntry){ "x", .content = "x" });
                tar_end(f);
                assert_int_equal(fclose(f), 0);
                check_header_bomb(data, size);

                f = open_memstream(&many, &size);
                for (int j = 0; j < 50000; j++)
                        tar_put(f, (TarEntry){ "././@LongLink", types[i], .content = "8 a=bcd\n" });
                tar_end(f);
                assert_int_equal(fclose(f), 0);
                check_header_bomb(many, size);
        }
}

static void put_pax(FILE *f, const char *records) {
        tar_put(f, (TarEntry){ "pax", 'x', .content = records });
}

/* GNU's sparse format 1.0: the map stands before the content. */
static void test_sparse_bomb(void **state) {
        _cleanup_free_ char *data = NULL, *map = NULL;
        size_t size, map_size;
        FILE *f = open_memstream(&map, &map_size);

        fputs("9000000\n", f);
        for (int i = 0; i < 9000000; i++)
                fputs("1\n1\n", f);
        assert_int_equal(fclose(f), 0);
        f = open_memstream(&data, &size);
        put_pax(f, "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
                   "25 GNU.sparse.name=sparse\n29 GNU.sparse.realsize=10000\n");
        tar_put(f, (TarEntry){ "x", .content = map, .size = map_size });
        tar_end(f);
        assert_int_equal(fclose(f), 0);
        check_header_bomb(data, size);
}

/* Cut anywhere, it is never taken for a whole one. */
static void test_truncated(void **state) {
        _cleanup_root_ char *from = temp_root_new();
        size_t size;

        temp_root_write(from, "/a/b/file", "some content");
        temp_root_write(from, "/z", "more content");
        for (int c = COMPRESSION_NONE; c <= COMPRESSION_ZSTD; c++) {
                _cleanup_close_ int fd = tree_memory_file(), from_fd = tree_open(from);
                _cleanup_free_ char *whole = NULL;

                assert_int_equal(archive_pack(from_fd, "", fd, (Compression) c, NULL, NULL), 0);
                assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
                assert_int_equal(read_stream(fd, 1024 * 1024, &whole, &size), 0);
                for (size_t n = 0; n < size; n += c == COMPRESSION_NONE ? 256 : 7) {
                        _cleanup_place_ Place p = place_new();
                        int r = unpack_bytes(&p, whole, n, NULL);

                        /* One of the two blocks of the end mark is enough. */
                        if (c == COMPRESSION_NONE && n + 512 >= size)
                                continue;
                        if (r != -EBADMSG)
                                fail_msg("%s, %zu of %zu bytes: %s",
                                         compression_to_string((Compression) c), n, size,
                                         strerror(-r));
                }
        }
}

static void test_no_archive(void **state) {
        static const char *const texts[] = {
                "", "x", "\x1f\x8b", "\x28\xb5\x2f\xfd", "\xfd\067zXZ", "PK\x03\x04zip", "BZh9"
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_place_ Place p = place_new();

                assert_int_equal(unpack_bytes(&p, texts[i], strlen(texts[i]), NULL), -EBADMSG);
        }
        _cleanup_place_ Place p = place_new();
        _cleanup_close_ int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

        /* An archive that is empty, with something endless behind it. */
        assert_int_equal(unpack_fd(&p, fd, &limits, NULL), -EFBIG);
}

/* A setuid file and device nodes are what they are in a root, with their owner. */
static void test_rights(void **state) {
        _cleanup_place_ Place p = place_new();
        _cleanup_free_ char *data = NULL, *su = text_format("%s/su", p.tree);
        size_t size;
        FILE *f = open_memstream(&data, &size);
        struct stat st;

        tar_put(f, (TarEntry){ "su", .content = "x", .mode = 06755, .uid_text = "0001750" });
        tar_end(f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(unpack_bytes(&p, data, size, NULL), 0);
        assert_int_equal(stat(su, &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 06755);
        assert_int_equal(st.st_uid, 1000);
}

/* A GNU sparse file whose pieces lie outside of it. */
static void test_sparse_outside(void **state) {
        _cleanup_place_ Place p = place_new();
        _cleanup_free_ char *data = NULL;
        size_t size;
        FILE *f = open_memstream(&data, &size);

        put_pax(f, "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
                   "25 GNU.sparse.name=sparse\n29 GNU.sparse.realsize=10000\n");
        tar_put(f, (TarEntry){ "x", .content = "1\n9000000000\n512\n" });
        tar_end(f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(unpack_bytes(&p, data, size, NULL), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_replaced_file),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_bomb),
                cmocka_unit_test(test_compressed_twice),
                cmocka_unit_test(test_header_bombs),
                cmocka_unit_test(test_sparse_bomb),
                cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_no_archive),
                cmocka_unit_test(test_rights),
                cmocka_unit_test(test_sparse_outside),
        };

        if (geteuid() != 0) {
                (void) fputs("needs root\n", stderr);
                return 77;
        }
        (void) signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}

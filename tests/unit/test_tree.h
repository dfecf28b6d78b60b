#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Trees for tests of archives: one with everything in it that a tree can have, and a listing, so
 * that two trees which are the same have the same text. To be included after cmocka.h and
 * temp_root.h.
 */

#include <dirent.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sodium.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define TREE_SPARSE_SIZE ((off_t) 64 * 1024 * 1024)

_unused_ static int tree_open(const char *path) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

_unused_ static int tree_file(const char *name) {
        int fd = openat(AT_FDCWD, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        return fd;
}

_unused_ static int tree_memory_file(void) {
        int fd = memfd_create("archive", MFD_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

/* Runs a program of this host, with an exit status of at most worst; false if it is not here. */
_unused_ static bool tree_run(const char *const *argv, int worst) {
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                (void) execvp(argv[0], (char *const *) argv);
                _exit(127);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 127)
                return false;
        assert_true(WEXITSTATUS(status) <= worst);
        return true;
}

static void tree_list_xattrs(FILE *f, const char *path) {
        char names[65536];
        ssize_t size = llistxattr(path, names, sizeof(names));
        size_t n = 0;
        const char *sorted[100];

        for (const char *p = names; size > 0 && p < names + size; p += strlen(p) + 1) {
                size_t i = n++;

                assert_true(n < ELEMENTSOF(sorted));
                for (; i > 0 && strcmp(sorted[i - 1], p) > 0; i--)
                        sorted[i] = sorted[i - 1];
                sorted[i] = p;
        }
        for (size_t i = 0; i < n; i++) {
                uint8_t value[4096];
                ssize_t got = lgetxattr(path, sorted[i], value, sizeof(value));

                fprintf(f, " %s=", sorted[i]);
                for (ssize_t j = 0; j < got; j++)
                        fprintf(f, "%02x", value[j]);
        }
}

static void tree_list_content(FILE *f, const char *path, const struct stat *st) {
        static uint8_t data[1024 * 1024];
        crypto_hash_sha256_state state;
        uint8_t hash[crypto_hash_sha256_BYTES];
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        assert_true(fd >= 0);
        (void) crypto_hash_sha256_init(&state);
        while ((n = read(fd, data, sizeof(data))) > 0)
                (void) crypto_hash_sha256_update(&state, data, (size_t) n);
        (void) crypto_hash_sha256_final(&state, hash);
        (void) close(fd);
        fprintf(f, " %lld ", (long long) st->st_size);
        for (size_t i = 0; i < sizeof(hash); i++)
                fprintf(f, "%02x", hash[i]);
        if (st->st_blocks * 512 < st->st_size / 2)
                fputs(" sparse", f);
}

/* The first name of each inode, for hard links. */
typedef struct TreeLinks {
        ino_t inodes[100];
        size_t n;
} TreeLinks;

static void tree_list_one(FILE *f, const char *path, const char *name, TreeLinks *links) {
        struct stat st;

        assert_int_equal(lstat(path, &st), 0);
        fprintf(f, "%s %o %u:%u", name, st.st_mode, st.st_uid, st.st_gid);
        fprintf(f, " %lld.%09ld", (long long) st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        if (S_ISREG(st.st_mode))
                tree_list_content(f, path, &st);
        if (S_ISREG(st.st_mode) && st.st_nlink > 1) {
                size_t i = 0;

                while (i < links->n && links->inodes[i] != st.st_ino)
                        i++;
                if (i == links->n)
                        links->inodes[links->n++] = st.st_ino;
                fprintf(f, " links %zu of %zu", (size_t) st.st_nlink, i);
        }
        if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
                fprintf(f, " %u:%u", major(st.st_rdev), minor(st.st_rdev));
        if (S_ISLNK(st.st_mode)) {
                char target[5000] = { 0 };

                assert_true(readlink(path, target, sizeof(target) - 1) >= 0);
                fprintf(f, " -> %s", target);
        }
        tree_list_xattrs(f, path);
        fputc('\n', f);
}

static int tree_is_name(const struct dirent *entry) {
        return !streq(entry->d_name, ".") && !streq(entry->d_name, "..");
}

static void tree_list_below(FILE *f, const char *path, const char *name, TreeLinks *links) {
        struct dirent **entries = NULL;
        int n = scandir(path, &entries, tree_is_name, alphasort);

        tree_list_one(f, path, name, links);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *child = text_format("%s/%s", path, entries[i]->d_name);
                _cleanup_free_ char *child_name = text_format("%s/%s", name, entries[i]->d_name);
                struct stat st;

                assert_int_equal(lstat(child, &st), 0);
                if (S_ISDIR(st.st_mode))
                        tree_list_below(f, child, child_name, links);
                else if (!S_ISSOCK(st.st_mode))
                        tree_list_one(f, child, child_name, links);
                free(entries[i]);
        }
        free(entries);
}

/* All that is in the tree and can be seen of it, one line a file. */
_unused_ static char *tree_list(const char *path) {
        TreeLinks links = { .n = 0 };
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        tree_list_below(f, path, ".", &links);
        assert_int_equal(fclose(f), 0);
        return text;
}

static void tree_set_acl(const char *path, const char *name) {
        struct {
                struct posix_acl_xattr_header header;
                struct posix_acl_xattr_entry entries[5];
        } acl = {
                .header = { POSIX_ACL_XATTR_VERSION },
                .entries = { { ACL_USER_OBJ, 6, ACL_UNDEFINED_ID },
                             { ACL_USER, 5, 70001 },
                             { ACL_GROUP_OBJ, 4, ACL_UNDEFINED_ID },
                             { ACL_MASK, 7, ACL_UNDEFINED_ID },
                             { ACL_OTHER, 1, ACL_UNDEFINED_ID } },
        };

        assert_int_equal(setxattr(path, name, &acl, sizeof(acl), 0), 0);
}

static void tree_fill_files(void) {
        static const uint8_t capability[] = { 1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0,
                                              0, 0, 0, 0, 0, 0,    0, 0, 0, 0 };
        int fd;

        fd = tree_file("bin/ping");
        assert_int_equal(write(fd, "ping\n", 5), 5);
        (void) close(fd);
        assert_int_equal(chown("bin/ping", 1000, 70000), 0);
        assert_int_equal(
                setxattr("bin/ping", "security.capability", capability, sizeof(capability), 0), 0);
        assert_int_equal(setxattr("bin/ping", "user.bytes", "a\0b\n=\xff", 6, 0), 0);
        assert_int_equal(setxattr("bin/ping", "user.empty", "", 0, 0), 0);
        assert_int_equal(setxattr("bin/ping", "trusted.x", "y", 1, 0), 0);
        assert_int_equal(link("bin/ping", "z-link"), 0);
        assert_int_equal(link("bin/ping", "bin/a-link"), 0);

        (void) close(tree_file("bin/su"));
        assert_int_equal(chown("bin/su", 7, 8), 0);
        assert_int_equal(chmod("bin/su", 06755), 0);
        (void) close(tree_file("no mode"));
        assert_int_equal(chmod("no mode", 0), 0);
        (void) close(tree_file("acl"));
        tree_set_acl("acl", "system.posix_acl_access");
}

static void tree_fill_sparse(void) {
        int fd = tree_file("sparse");

        assert_int_equal(ftruncate(fd, TREE_SPARSE_SIZE), 0);
        assert_int_equal(pwrite(fd, "middle", 6, TREE_SPARSE_SIZE / 2), 6);
        (void) close(fd);
        fd = tree_file("sparse ends");
        assert_int_equal(pwrite(fd, "end", 3, TREE_SPARSE_SIZE - 3), 3);
        assert_int_equal(pwrite(fd, "start", 5, 0), 5);
        (void) close(fd);
        fd = tree_file("sparse empty");
        assert_int_equal(ftruncate(fd, 1024 * 1024), 0);
        (void) close(fd);
}

/* Names: UTF-8 composed and decomposed, Latin-1, a newline, and very long. */
static void tree_fill_names(void) {
        static const char *const names[] = { "gr\xc3\xbc\xc3\x9f",
                                             "u\xcc\x88",
                                             "gr\xfc\xdf",
                                             "new\nline",
                                             "back\\slash",
                                             " ",
                                             "-rf",
                                             "=",
                                             "..." };
        char part[251] = { 0 };
        int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                assert_int_equal(mkdir(names[i], 0755), 0);
                _cleanup_free_ char *file = text_format("%s/%s", names[i], names[i]);
                _cleanup_free_ char *other = text_format("%s/link", names[i]);
                _cleanup_free_ char *symbolic = text_format("%s/symlink", names[i]);

                (void) close(tree_file(file));
                assert_int_equal(link(file, other), 0);
                assert_int_equal(symlink(names[i], symbolic), 0);
        }
        memset(part, 'x', sizeof(part) - 1);
        for (int i = 0; i < 12; i++) {
                assert_int_equal(mkdir(part, 0755), 0);
                assert_int_equal(chdir(part), 0);
        }
        (void) close(tree_file("deep"));
        assert_int_equal(fchdir(fd), 0);
        (void) close(fd);
}

static void tree_set_times(const char *path) {
        struct dirent **entries = NULL;
        int n = scandir(path, &entries, tree_is_name, alphasort);

        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *child = text_format("%s/%s", path, entries[i]->d_name);
                const struct timespec times[] = { { 1000 + i, 1 }, { 1600000000 + i, 123456789 } };
                struct stat st;

                assert_int_equal(lstat(child, &st), 0);
                if (S_ISDIR(st.st_mode))
                        tree_set_times(child);
                assert_int_equal(utimensat(AT_FDCWD, child, times, AT_SYMLINK_NOFOLLOW), 0);
                free(entries[i]);
        }
        free(entries);
}

/* Everything. Needs root. */
_unused_ static void tree_fill(const char *path) {
        const struct timespec times[] = { { 1, 1 }, { 1500000000, 5 } };
        mode_t mask = umask(0);
        int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(chdir(path), 0);
        assert_int_equal(mkdir("bin", 0755), 0);
        assert_int_equal(mkdir("closed", 0), 0);
        (void) close(tree_file("closed/file"));
        assert_int_equal(mkdir("inherit", 02775), 0);
        (void) close(tree_file("inherit/before"));
        assert_int_equal(mkdir("inherit/folder", 01777), 0);
        tree_set_acl("inherit", "system.posix_acl_default");
        tree_set_acl("inherit", "system.posix_acl_access");
        tree_fill_files();
        tree_fill_sparse();
        tree_fill_names();
        assert_int_equal(mknod("null", S_IFCHR | 0666, makedev(1, 3)), 0);
        assert_int_equal(mknod("disk", S_IFBLK | 0660, makedev(259, 70000)), 0);
        assert_int_equal(mkfifo("fifo", 0622), 0);
        assert_int_equal(symlink("/etc/passwd", "outside"), 0);
        assert_int_equal(lchown("outside", 5, 6), 0);
        assert_int_equal(lsetxattr("outside", "trusted.link", "1", 1, 0), 0);
        assert_int_equal(symlink("../../../nothing\nhere", "dangling"), 0);
        assert_int_equal(mknod("socket", S_IFSOCK | 0600, 0), 0);
        tree_set_times(".");
        assert_int_equal(chmod(".", 0751), 0);
        assert_int_equal(chown(".", 3, 4), 0);
        assert_int_equal(utimensat(AT_FDCWD, ".", times, 0), 0);
        assert_int_equal(fchdir(fd), 0);
        (void) close(fd);
        (void) umask(mask);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/fileio.h"

#include <libgen.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/strv.h"

#define TEMPORARY_PREFIX ".#"
#define RANDOM_DIGITS 16

/* Up to end of file. known_size: with this many bytes read, a read that got less than it asked for
 * has met the end; 0 if unknown. */
static int read_all(int fd, size_t known_size, size_t max, char **ret, size_t *ret_size) {
        _cleanup_free_ char *buffer = NULL;
        size_t size = 0, allocated = 0;

        for (;;) {
                size_t room;
                ssize_t n;

                if (allocated - size < 2) {
                        size_t wanted = allocated == 0 ? 4096 : allocated * 2;
                        char *grown = realloc(buffer, wanted);

                        if (!grown)
                                return -ENOMEM;
                        buffer = grown;
                        allocated = wanted;
                }

                room = allocated - size - 1;
                n = read(fd, buffer + size, room);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                size += (size_t) n;
                if (size > max)
                        return -EFBIG;
                if (n == 0 || ((size_t) n < room && size == known_size))
                        break;
        }

        buffer[size] = '\0';
        *ret = TAKE_PTR(buffer);
        if (ret_size)
                *ret_size = size;
        return 0;
}

int read_stream(int fd, size_t max, char **ret, size_t *ret_size) {
        return read_all(fd, 0, max, ret, ret_size);
}

int read_file_at(int dir_fd, const char *path, size_t max, bool follow, char **ret,
                 size_t *ret_size) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        fd = openat(dir_fd, path,
                    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW));
        if (fd < 0)
                return negative_errno();
        if (fstat(fd, &st) < 0)
                return negative_errno();
        if (!S_ISREG(st.st_mode))
                return -EINVAL;

        return read_all(fd, (size_t) st.st_size, max, ret, ret_size);
}

int sync_directory_of(int dir_fd, const char *path) {
        _cleanup_free_ char *copy = NULL;
        _cleanup_close_ int fd = -1;

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        fd = openat(dir_fd, dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        return fsync(fd) < 0 ? negative_errno() : 0;
}

static bool has_content(int dir_fd, const char *path, const char *content, size_t size,
                        mode_t mode) {
        _cleanup_free_ char *old = NULL;
        struct stat st;
        size_t old_size;

        if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
            (st.st_mode & 07777) != mode || (size_t) st.st_size != size)
                return false;
        return read_file_at(dir_fd, path, size, false, &old, &old_size) >= 0 && old_size == size &&
               memcmp(old, content, size) == 0;
}

static int temporary_path(const char *path, char **ret) {
        const char *slash = strrchr(path, '/');
        int prefix = slash ? (int) (slash - path) + 1 : 0;
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return negative_errno();
        return asprintf(ret, "%.*s" TEMPORARY_PREFIX "%.200s.%016llx", prefix, path, path + prefix,
                        (unsigned long long) random) < 0
                       ? -ENOMEM
                       : 0;
}

static int write_all(int fd, const char *content, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, content, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                content += n;
                size -= (size_t) n;
        }
        return 0;
}

static int fill(int fd, int dir_fd, const char *path, const char *content, size_t size, mode_t mode,
                WriteFlags flags) {
        int r;

        r = write_all(fd, content, size);
        if (r < 0)
                return r;

        if (flags & WRITE_LIKE_PARENT) {
                _cleanup_free_ char *copy = strdup(path);
                struct stat st;

                if (!copy)
                        return -ENOMEM;
                if (fstatat(dir_fd, dirname(copy), &st, 0) < 0 ||
                    fchown(fd, st.st_uid, st.st_gid) < 0)
                        return negative_errno();
        }

        if (fchmod(fd, mode) < 0)
                return negative_errno();
        if ((flags & WRITE_SYNC) && fsync(fd) < 0)
                return negative_errno();
        return 0;
}

static int publish(int dir_fd, const char *temporary, const char *path, WriteFlags flags) {
        if (renameat2(dir_fd, temporary, dir_fd, path,
                      flags & WRITE_NO_REPLACE ? RENAME_NOREPLACE : 0) < 0)
                return negative_errno();
        return flags & WRITE_SYNC ? sync_directory_of(dir_fd, path) : 0;
}

int write_file_at(int dir_fd, const char *path, const char *content, size_t size, mode_t mode,
                  WriteFlags flags) {
        _cleanup_free_ char *temporary = NULL;
        _cleanup_close_ int fd = -1;
        int r;

        if ((flags & WRITE_IF_CHANGED) && has_content(dir_fd, path, content, size, mode))
                return 0;

        r = temporary_path(path, &temporary);
        if (r < 0)
                return r;

        fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return negative_errno();

        r = fill(fd, dir_fd, path, content, size, mode, flags);
        if (r >= 0)
                r = publish(dir_fd, temporary, path, flags);
        if (r < 0) {
                (void) unlinkat(dir_fd, temporary, 0);
                return r;
        }
        return 1;
}

int remove_file_at(int dir_fd, const char *path) {
        if (unlinkat(dir_fd, path, 0) >= 0)
                return 1;
        return errno == ENOENT || errno == ENOTDIR ? 0 : negative_errno();
}

int make_directories(const char *path, mode_t mode) {
        _cleanup_free_ char *copy = NULL;

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        for (char *p = copy + 1; *p; p++) {
                if (*p != '/')
                        continue;
                *p = '\0';
                if (mkdir(copy, mode) < 0 && errno != EEXIST)
                        return negative_errno();
                *p = '/';
        }
        return mkdir(copy, mode) < 0 && errno != EEXIST ? negative_errno() : 0;
}

bool is_temporary_name(const char *name) {
        return startswith(name, TEMPORARY_PREFIX) != NULL;
}

bool is_own_temporary_name(const char *name, const char *suffix) {
        size_t n = strlen(name), tail = RANDOM_DIGITS + 1;

        if (!is_temporary_name(name) || n <= tail || name[n - tail] != '.')
                return false;
        if (strspn(name + n - RANDOM_DIGITS, "0123456789abcdef") != RANDOM_DIGITS)
                return false;
        n -= tail;
        return n >= strlen(suffix) &&
               strncmp(name + n - strlen(suffix), suffix, strlen(suffix)) == 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/xattr_copy.h"

#include <limits.h>
#include <linux/limits.h>
#include <sys/xattr.h>

/* An open file, or, with path, a name that is not followed. */
typedef struct Target {
        int fd;
        const char *path;
} Target;

static ssize_t list(Target t, char *names, size_t size) {
        return t.path ? llistxattr(t.path, names, size) : flistxattr(t.fd, names, size);
}

static ssize_t get(Target t, const char *name, void *value, size_t size) {
        return t.path ? lgetxattr(t.path, name, value, size) : fgetxattr(t.fd, name, value, size);
}

static int set(Target t, const char *name, const void *value, size_t size) {
        return t.path ? lsetxattr(t.path, name, value, size, 0)
                      : fsetxattr(t.fd, name, value, size, 0);
}

/* Without these a copy would be another thing: more people may read it, or it cannot do its work.
 */
static bool is_essential(const char *name) {
        return streq(name, "security.capability") || startswith(name, "system.posix_acl_");
}

static int copy_one(Target from, Target to, const char *name, char *buffer) {
        ssize_t n = get(from, name, buffer, XATTR_SIZE_MAX);

        if (n < 0)
                return errno == ENODATA || (errno == EOPNOTSUPP && !is_essential(name))
                               ? 0
                               : negative_errno();
        if (set(to, name, buffer, (size_t) n) >= 0)
                return 0;
        /* The policy gives labels; one of another policy may not be possible here. */
        if (startswith(name, "security.") && !is_essential(name) && errno != ENOSPC &&
            errno != EDQUOT)
                return 0;
        return errno == EOPNOTSUPP && !is_essential(name) ? 0 : negative_errno();
}

static int copy_all(Target from, Target to) {
        _cleanup_free_ char *names = NULL, *buffer = NULL;
        ssize_t n = list(from, NULL, 0);
        int r;

        if (n <= 0)
                return n == 0 || errno == EOPNOTSUPP ? 0 : negative_errno();

        names = malloc(XATTR_LIST_MAX);
        buffer = malloc(XATTR_SIZE_MAX);
        if (!names || !buffer)
                return -ENOMEM;
        n = list(from, names, XATTR_LIST_MAX);
        if (n < 0)
                return negative_errno();
        for (const char *name = names; name < names + n; name += strlen(name) + 1) {
                r = copy_one(from, to, name, buffer);
                if (r < 0)
                        return r;
        }
        return 0;
}

int xattr_copy(int from_fd, int to_fd) {
        return copy_all((Target){ .fd = from_fd }, (Target){ .fd = to_fd });
}

int xattr_copy_at(int from_dir_fd, const char *from, int to_dir_fd, const char *to) {
        char a[PATH_MAX], b[PATH_MAX];

        (void) snprintf(a, sizeof(a), "/proc/self/fd/%d/%s", from_dir_fd, from);
        (void) snprintf(b, sizeof(b), "/proc/self/fd/%d/%s", to_dir_fd, to);
        return copy_all((Target){ .fd = -1, .path = a }, (Target){ .fd = -1, .path = b });
}

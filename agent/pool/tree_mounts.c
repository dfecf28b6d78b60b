/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/tree_mounts.h"

#include <limits.h>

#define MOUNT_POINT_FIELD 5

/* The kernel writes space, tab, newline and backslash as three octal digits. */
static void unescape(char *s) {
        char *to = s;

        while (*s) {
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
                    s[3] >= '0' && s[3] <= '7') {
                        *to++ = (char) ((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
                        s += 4;
                } else {
                        *to++ = *s++;
                }
        }
        *to = '\0';
}

static char *mount_point_of(char *line) {
        char *rest = line, *field = NULL;

        for (unsigned i = 0; i < MOUNT_POINT_FIELD; i++) {
                field = strsep(&rest, " ");
                if (!field)
                        return NULL;
        }
        unescape(field);
        return field;
}

static bool is_within(const char *path, const char *folder) {
        const char *rest = startswith(path, folder);

        return rest && (*rest == '\0' || *rest == '/');
}

static int path_of(int dir_fd, const char *name, char **ret) {
        char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)], folder[PATH_MAX];
        ssize_t n;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
        n = readlink(link, folder, sizeof(folder) - 1);
        if (n < 0)
                return negative_errno();
        folder[n] = '\0';
        return asprintf(ret, "%s/%s", streq(folder, "/") ? "" : folder, name) < 0 ? -ENOMEM : 0;
}

int tree_find_mount(int dir_fd, const char *name, char **ret_where) {
        _cleanup_free_ char *tree = NULL, *line = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        size_t size = 0;
        int r;

        r = path_of(dir_fd, name, &tree);
        if (r < 0)
                return r;
        f = fopen("/proc/self/mountinfo", "re");
        if (!f)
                return negative_errno();

        while (getline(&line, &size, f) >= 0) {
                const char *point = mount_point_of(line);

                if (!point || !is_within(point, tree))
                        continue;
                if (ret_where) {
                        *ret_where = strdup(point);
                        if (!*ret_where)
                                return -ENOMEM;
                }
                return 1;
        }
        return ferror(f) ? -EIO : 0;
}

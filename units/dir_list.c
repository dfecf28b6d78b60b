/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/dir_list.h"

#include <fcntl.h>

DEFINE_CLEANUP(DIR *, closedir)

/* strv_push() would count the vector for each name anew. */
typedef struct Names {
        char **v;
        size_t n, allocated;
} Names;

static int names_push(Names *names, const char *name) {
        if (names->n + 2 > names->allocated) {
                size_t wanted = names->allocated == 0 ? 64 : names->allocated * 2;
                char **grown = reallocarray(names->v, wanted, sizeof(char *));

                if (!grown)
                        return -ENOMEM;
                names->v = grown;
                names->allocated = wanted;
        }
        names->v[names->n] = strdup(name);
        if (!names->v[names->n])
                return -ENOMEM;
        names->v[++names->n] = NULL;
        return 0;
}

static int read_names(DIR *d, const char *prefix, const char *suffix, Names *names) {
        struct dirent *de;

        while ((errno = 0, de = readdir(d))) {
                const char *rest = startswith(de->d_name, prefix);

                if (!rest || !endswith(rest, suffix) || streq(de->d_name, ".") ||
                    streq(de->d_name, ".."))
                        continue;
                if (names_push(names, de->d_name) < 0)
                        return -ENOMEM;
        }
        return -errno;
}

/* d: NULL is empty. */
static int list(DIR *d, const char *prefix, const char *suffix, char ***ret) {
        Names names = { 0 };
        int r;

        r = d ? read_names(d, prefix, suffix, &names) : 0;
        if (r < 0) {
                strv_free(names.v);
                return r;
        }
        strv_sort(names.v);
        *ret = names.v;
        return 0;
}

int dir_list(const char *path, const char *prefix, const char *suffix, char ***ret) {
        _cleanup_(closedirp) DIR *d = opendir(path);

        if (!d && errno != ENOENT && errno != ENOTDIR)
                return negative_errno();
        return list(d, prefix, suffix, ret);
}

int dir_open(int fd, DIR **ret) {
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (copy < 0)
                return negative_errno();
        *ret = fdopendir(copy);
        if (!*ret) {
                (void) close(copy);
                return -ENOMEM;
        }
        return 0;
}

int dir_list_fd(int fd, char ***ret) {
        _cleanup_(closedirp) DIR *d = NULL;
        int r = dir_open(fd, &d);

        return r < 0 ? r : list(d, "", "", ret);
}

static int compare(const void *key, const void *member) {
        return strcmp(key, *(char *const *) member);
}

bool dir_list_contains(char *const *names, size_t n, const char *s) {
        return n > 0 && bsearch(s, names, n, sizeof(char *), compare);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/folder_names.h"

#include <dirent.h>
#include <fcntl.h>

DEFINE_CLEANUP(DIR *, closedir)

/* Folders may have very many: strv_extend() would count them each time. */
typedef struct Names {
        char **items;
        size_t n, allocated;
} Names;

static void names_done(Names *l) {
        strv_free(l->items);
}

static int names_add(Names *l, const char *name) {
        if (l->n + 1 >= l->allocated) {
                size_t allocated = l->allocated > 0 ? l->allocated * 2 : 16;
                char **grown = reallocarray(l->items, allocated, sizeof(char *));

                if (!grown)
                        return -ENOMEM;
                l->items = grown;
                l->allocated = allocated;
        }
        l->items[l->n] = strdup(name);
        if (!l->items[l->n])
                return -ENOMEM;
        l->items[++l->n] = NULL;
        return 0;
}

int folder_names(int fd, char ***ret) {
        _cleanup_(closedirp) DIR *d = NULL;
        _cleanup_(names_done) Names names = { 0 };
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (copy < 0)
                return negative_errno();
        d = fdopendir(copy);
        if (!d) {
                (void) close(copy);
                return -ENOMEM;
        }
        for (;;) {
                const struct dirent *e;

                errno = 0;
                e = readdir(d);
                if (!e && errno > 0)
                        return negative_errno();
                if (!e)
                        break;
                if (!streq(e->d_name, ".") && !streq(e->d_name, "..") &&
                    names_add(&names, e->d_name) < 0)
                        return -ENOMEM;
        }
        strv_sort(names.items);
        *ret = TAKE_PTR(names.items);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/definition_root.h"

#include "agent/bus_errors.h"

#define POOL "/var/lib/machines"

/* Where path leads on this host; as it is if it does not exist yet (the parser has cleaned it). */
static char *resolve(const Manager *m, const char *path) {
        char *text, *real;

        if (asprintf(&text, "%s%s", m->root, path) < 0)
                return NULL;
        real = realpath(text, NULL);
        if (!real)
                return text;
        free(text);
        return real;
}

/* Also when they are the same. */
static bool is_within(const char *path, const char *folder) {
        const char *rest = startswith(path, folder);

        return rest && (*rest == '\0' || *rest == '/' || endswith(folder, "/"));
}

/* The pool, and so the host's root and everything between. */
static int refuse_host(const Manager *m, const char *name, const char *root, Error **err) {
        _cleanup_free_ char *pool = resolve(m, POOL);

        if (!pool)
                return -ENOMEM;
        if (!is_within(pool, root))
                return 0;
        return error_set(err, ERRNO_CONFLICT,
                         "container '%s' cannot have '%s' for its root: that is the host's own, or "
                         "has the roots of all containers in it",
                         name, root);
}

static int refuse_other(const Manager *m, const char *name, const char *root, const Container *c,
                        Error **err) {
        _cleanup_free_ char *path = container_root_path(c), *other = NULL;

        other = path ? resolve(m, path) : NULL;
        if (!other)
                return -ENOMEM;
        if (!is_within(root, other) && !is_within(other, root))
                return 0;
        return error_set(err, ERRNO_CONFLICT,
                         "container '%s' cannot have '%s' for its root: container '%s' has '%s'",
                         name, root, c->name, other);
}

static bool is_in_pool(const char *name, const ContainerDef *def) {
        const char *root = def ? container_def_root(def) : NULL;

        return !root || streq_ptr(startswith(root, POOL "/"), name);
}

/* Two that are both in the pool under their own names cannot meet. */
static bool can_meet(const Container *c, const ContainerDef *def) {
        return !streq(c->name, def->name) &&
               !(is_in_pool(c->name, c->def) && is_in_pool(def->name, def));
}

int definition_root_check(const Manager *m, const ContainerDef *def, Error **err) {
        _cleanup_free_ char *root = NULL, *own = NULL;
        const char *path = container_def_root(def);
        int r = 0;

        if (!path && asprintf(&own, POOL "/%s", def->name) < 0)
                return -ENOMEM;
        root = resolve(m, path ? path : own);
        if (!root)
                return -ENOMEM;

        if (path)
                r = refuse_host(m, def->name, root, err);
        for (size_t i = 0; i < m->containers.n_items && r >= 0; i++)
                if (can_meet(m->containers.items[i], def))
                        r = refuse_other(m, def->name, root, m->containers.items[i], err);
        return r;
}

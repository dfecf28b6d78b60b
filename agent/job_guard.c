/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job_guard.h"

#include "agent/bus_errors.h"
#include "agent/pool/volume.h"

int guard_name(const char *name, Error **err) {
        if (volume_name_is_valid(name))
                return 0;
        return error_set(err, EINVAL,
                         "'%.80s' is no name for a container: letters, digits, '-', '_' and single "
                         "dots, at most 64",
                         name);
}

int guard_not_running(const Manager *m, const char *name, const char *doing, Error **err) {
        const Container *c = container_table_by_name(&m->containers, name);

        if (!c || !c->active)
                return 0;
        return error_set(err, ERRNO_OPERATION_INVALID,
                         "container '%s' is running, its root cannot be %s; stop it with 'ctvirt "
                         "shutdown %s', which takes a moment, or at once with 'ctvirt destroy %s'",
                         name, doing, name, name);
}

int guard_volume(const Manager *m, const char *name, Error **err) {
        _cleanup_volume_ Volume v = { 0 };
        _cleanup_pool_ Pool *pool = NULL;
        int r;

        r = guard_name(name, err);
        if (r >= 0)
                r = pool_open(m->root, &pool, err);
        return r < 0 ? r : volume_get(pool, name, &v, err);
}

int guard_name_is_free(const Manager *m, const char *name, Error **err) {
        const Container *c = container_table_by_name(&m->containers, name);
        _cleanup_volume_ Volume v = { 0 };
        _cleanup_pool_ Pool *pool = NULL;
        const Job *job;
        int r;

        r = guard_name(name, err);
        if (r < 0)
                return r;
        if (c && container_is_defined(c))
                return error_set(err, ERRNO_CONFLICT, "container '%s' is defined already", name);
        if (c)
                return error_set(err, ERRNO_CONFLICT,
                                 "there is a container '%s' that was not defined with ctvirt",
                                 name);
        job = job_busy(&m->jobs, name, NULL);
        if (job)
                return error_set(err, ERRNO_CONFLICT, "job %s is at work on '%s'", job->spec->id,
                                 name);
        r = pool_open(m->root, &pool, err);
        if (r < 0)
                return r;
        r = volume_get(pool, name, &v, NULL);
        if (r == -ENOENT)
                return 0;
        return error_set(err, ERRNO_CONFLICT, "the pool has a volume '%s' already", name);
}

int guard_defined(const Container *c, Error **err) {
        const char *root;

        if (c->problem)
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "the definition of container '%s' cannot be used: %s", c->name,
                                 c->problem);
        if (!c->def)
                return error_set(
                        err, ERRNO_OPERATION_INVALID,
                        "container '%s' was not defined with ctvirt; of its root "
                        "'ctvirt vol-clone' makes a copy, 'ctvirt vol-download' an archive",
                        c->name);
        root = container_def_root(c->def);
        if (root && !streq_ptr(startswith(root, POOL_PATH "/"), c->name))
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "the root of container '%s' is %s, which is not in the pool",
                                 c->name, root);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/revert.h"

#include "agent/bus_errors.h"
#include "agent/define_job.h"
#include "agent/definition_complete.h"
#include "agent/pool/bundle_adopt.h"
#include "agent/pool/pool_intent.h"
#include "agent/pool/volume_place.h"
#include "base/log.h"

#define KEEP_HINT "; with --keep-definition only the root is reverted"

/*
 * The definition of then, as what the container is now
 */

static bool has_counterpart(const ContainerDef *now, const ContainerDef *then, size_t interface) {
        bool direct = then->interfaces[interface].type == INTERFACE_TYPE_DIRECT;
        size_t number = 0, n = 0;

        for (size_t i = 0; i < interface; i++)
                number += (then->interfaces[i].type == INTERFACE_TYPE_DIRECT) == direct;
        for (size_t i = 0; i < now->n_interfaces; i++)
                n += (now->interfaces[i].type == INTERFACE_TYPE_DIRECT) == direct;
        return number < n;
}

/* What is left out here is what define leaves as it is (definition_complete.h). */
static int keep_identity(const ContainerDef *now, ContainerDef *then) {
        int r = bundle_adopt(then, now->name, BUNDLE_ADOPT_MOVED);

        if (r < 0)
                return r;
        then->has_uuid = false;
        then->uuid = (Uuid){ 0 };
        for (size_t i = 0; i < then->n_interfaces; i++)
                if (has_counterpart(now, then, i))
                        then->interfaces[i].has_mac = false;
        return 0;
}

static int definition_of(const Container *c, const Snapshot *s, ContainerDef **ret, Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_free_ char *file = NULL;
        int r;

        if (!s->definition)
                return error_set(err, ERRNO_OPERATION_INVALID,
                                 "snapshot '%s' has no definition in its document" KEEP_HINT,
                                 s->name);
        if (asprintf(&file, "the definition in snapshot '%s'", s->name) < 0)
                return -ENOMEM;
        r = container_def_parse(s->definition, strlen(s->definition), file, 0, &def, NULL, err);
        if (r >= 0)
                r = keep_identity(c->def, def);
        if (r >= 0)
                *ret = TAKE_PTR(def);
        return r;
}

int revert_check(const Manager *m, const Container *c, const Snapshot *s, Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_strv_ char **warnings = NULL;
        _cleanup_error_ Error *why = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        r = definition_of(c, s, &def, &why);
        if (r >= 0)
                r = definition_complete(m, c, def, "the snapshot", &warnings, &why);
        if (r >= 0 || r == -ENOMEM)
                return r;
        text = why ? error_format(why) : strdup(strerror(-r));
        return error_set(err, ERRNO_OPERATION_INVALID,
                         "the definition of snapshot '%s' cannot be had back: %s%s", s->name,
                         text ? text : "", s->definition ? KEEP_HINT : "");
}

/*
 * Afterwards
 */

static int is_reverted(const Pool *pool, const PoolIntent *intent) {
        _cleanup_volume_place_ VolumePlace place = { 0 };
        _cleanup_free_ char *tree = NULL;
        int r;

        r = volume_find(pool, intent->name, &place, NULL);
        if (r >= 0)
                r = volume_identity(pool, pool->fd, place.file, &tree, NULL);
        return r == -ENOENT ? 0 : r < 0 ? r : streq(tree, intent->tree);
}

static int redefine(Manager *m, const ContainerDef *def, Error **err) {
        _cleanup_free_ char *xml = NULL;
        int r;

        r = container_def_format(def, &xml);
        return r < 0 ? r : define_job(m, xml, strlen(xml), "the snapshot", NULL, err);
}

static int take_definition(Manager *m, const Pool *pool, const PoolIntent *intent, Error **err) {
        const Container *c = container_table_by_name(&m->containers, intent->name);
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_strv_ char **warnings = NULL;
        _cleanup_snapshot_ Snapshot s = { 0 };
        int r;

        if (!c || !c->def)
                return error_set(err, ENOENT, "the container is no longer defined");
        r = snapshot_get(pool, intent->name, intent->snapshot, &s, err);
        if (r >= 0)
                r = definition_of(c, &s, &def, err);
        if (r >= 0)
                r = definition_complete(m, c, def, "the snapshot", &warnings, err);
        return r < 0 || container_def_equal(def, c->def) ? r : redefine(m, def, err);
}

static int finish(Manager *m, const Pool *pool, const char *id, Error **err) {
        _cleanup_pool_intent_ PoolIntent intent = { 0 };
        int r;

        r = pool_intent_load(pool, id, &intent, NULL);
        if (r < 0 || intent.kind != POOL_INTENT_REVERT)
                return r == -ENOENT ? 0 : r;
        r = is_reverted(pool, &intent);
        if (r > 0)
                r = take_definition(m, pool, &intent, err);
        (void) pool_intent_remove(pool, id);
        return r;
}

int revert_finish(Manager *m, const char *id, Error **err) {
        _cleanup_pool_ Pool *pool = NULL;
        int r;

        r = pool_open(m->root, &pool, err);
        return r < 0 ? r : finish(m, pool, id, err);
}

void revert_recover(Manager *m) {
        _cleanup_pool_ Pool *pool = NULL;
        _cleanup_strv_ char **ids = NULL;

        if (!pool_exists(m->root) || pool_open(m->root, &pool, NULL) < 0 ||
            pool_intent_list(pool, &ids) < 0)
                return;
        STRV_FOREACH(id, ids) {
                const Job *job = job_by_id(&m->jobs, *id);
                _cleanup_error_ Error *err = NULL;
                int r;

                if (job && job->state == JOB_STATE_RUNNING)
                        continue;
                r = finish(m, pool, *id, &err);
                if (r < 0)
                        log_error("Job %s was interrupted, and what it has reverted does not have "
                                  "its definition of then: %s",
                                  *id, err && err->text ? err->text : strerror(-r));
        }
}

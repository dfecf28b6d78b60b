/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job_after.h"

#include <fcntl.h>

#include "agent/container_refresh.h"
#include "agent/define.h"
#include "agent/define_job.h"
#include "agent/job_freeze.h"
#include "agent/job_guard.h"
#include "agent/manager.h"
#include "agent/pool/volume.h"
#include "agent/revert.h"
#include "base/fileio.h"
#include "base/log.h"
#include "units/unit_name.h"
#include "xml/container_program.h"

/*
 * A definition that comes with the root
 */

static int load_definition(const Manager *m, const JobSpec *spec, char **ret, size_t *ret_size) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%s/definition.xml", spec->id) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return read_file_at(m->jobs.fd, path, CONTAINER_XML_MAX, false, ret, ret_size);
}

/* An import learns from the bundle what it is called. */
static int learn_name(JobSpec *spec, const char *xml, size_t size, Error **err) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        int r;

        if (spec->name)
                return 0;
        r = container_def_parse(xml, size, "the definition", 0, &def, NULL, err);
        if (r >= 0)
                spec->name = TAKE_PTR(def->name);
        return r;
}

static int take_definition(Manager *m, JobSpec *spec, char ***warnings, Error **err) {
        _cleanup_free_ char *xml = NULL;
        const Container *c;
        size_t size;
        int r;

        r = load_definition(m, spec, &xml, &size);
        if (r < 0)
                return error_set(err, -r, "cannot read its definition: %s", strerror(-r));
        r = learn_name(spec, xml, size, err);
        if (r < 0)
                return r;
        c = container_table_by_name(&m->containers, spec->name);
        if (c && container_is_defined(c))
                return error_set(err, EEXIST, "a container '%s' is defined already", spec->name);
        return define_job(m, xml, size, "the definition", warnings, err);
}

static bool is_same(const ContainerDef *a, const ContainerDef *b) {
        return streq(a->name, b->name) && a->has_uuid && b->has_uuid &&
               uuid_equal(&a->uuid, &b->uuid);
}

/*
 * How an image wants to be run, as far as the definition does not say it. Nothing else is taken from
 * the job's file, so that what has been changed in the definition meanwhile stays, and what a job
 * could make of a hostile image reaches no further than the image's own program would.
 */
static int take_program(Manager *m, const JobSpec *spec, char ***warnings, Error **err) {
        _cleanup_(container_def_freep) ContainerDef *from = NULL, *def = NULL;
        const Container *c = container_table_by_name(&m->containers, spec->name);
        _cleanup_free_ char *xml = NULL, *completed = NULL;
        size_t size;
        int r;

        if (!c || !c->def)
                return 0;
        r = load_definition(m, spec, &xml, &size);
        if (r < 0)
                return error_set(err, -r, "cannot read what the image runs: %s", strerror(-r));
        r = container_def_parse(xml, size, "definition.xml of the job", 0, &from, NULL, err);
        if (r < 0)
                return r;
        if (!is_same(from, c->def))
                return error_set(err, EINVAL, "the container has been defined anew meanwhile");
        def = container_def_copy(c->def);
        if (!def)
                return -ENOMEM;
        r = container_def_fill_program(def, from);
        if (r <= 0)
                return r;
        r = container_def_format(def, &completed);
        if (r < 0)
                return r;
        return define_job(m, completed, strlen(completed), "the definition", warnings, err);
}

/* A line each, below what the job itself has said. */
static void add_lines(char **text, char *const *lines) {
        _cleanup_free_ char *added = strv_join(lines, "\n");
        char *joined;

        if (isempty(added))
                return;
        if (asprintf(&joined, "%s%s%s", *text ? *text : "", isempty(*text) ? "" : "\n", added) < 0)
                return;
        free(*text);
        *text = joined;
}

/* Nothing half done stays: what could not become a container is taken away again, but not from a
 * container that has been defined meanwhile, whose root it is. */
static bool take_root_back(const Job *job) {
        const Manager *m = job->manager;
        const Container *c;
        _cleanup_pool_ Pool *pool = NULL;
        _cleanup_error_ Error *err = NULL;
        int r;

        if (!job->spec->name)
                return false;
        c = container_table_by_name(&m->containers, job->spec->name);
        if (c && container_is_defined(c))
                return false;
        r = pool_open(m->root, &pool, &err);
        if (r >= 0)
                r = volume_delete(pool, job->spec->name, job->spec->id, &err);
        if (r < 0)
                log_warning("Volume '%s' stays in the pool: %s", job->spec->name,
                            err && err->text ? err->text : strerror(-r));
        return r >= 0;
}

/* NULL when memory is short. */
static char *describe_failure(const Job *job, const char *reason) {
        const char *name = job->spec->name ? job->spec->name : "?";
        bool is_new = job->spec->flags & JOB_DEFINE;
        char *sentence;
        int r;

        if (is_new && take_root_back(job))
                r = asprintf(&sentence,
                             "container '%s' could not be defined, and its root has been taken "
                             "away again: %s",
                             name, reason);
        else
                r = asprintf(&sentence, "its root is in the pool as volume '%s', but %s: %s", name,
                             is_new ? "it could not be defined"
                                    : "what its image runs could not be put into its definition",
                             reason);
        return r < 0 ? NULL : sentence;
}

static void define_after(Job *job, JobState *state, char **text) {
        _cleanup_strv_ char **warnings = NULL;
        _cleanup_error_ Error *err = NULL;
        _cleanup_free_ char *reason = NULL;
        int r;

        r = job->spec->flags & JOB_DEFINE
                    ? take_definition(job->manager, job->spec, &warnings, &err)
                    : take_program(job->manager, job->spec, &warnings, &err);
        add_lines(text, warnings);
        if (r >= 0)
                return;
        reason = err ? error_format(err) : strdup(strerror(-r));
        *state = JOB_STATE_FAILED;
        free(*text);
        *text = describe_failure(job, reason ? reason : strerror(-r));
}

/* Also of a job that was killed: it may have got as far as to the root. */
static void redefine_after(Job *job, JobState *state, char **text) {
        _cleanup_free_ char *sentence = NULL;
        _cleanup_error_ Error *err = NULL;
        int r;

        r = revert_finish(job->manager, job->spec->id, &err);
        if (r >= 0)
                return;
        if (asprintf(&sentence,
                     "its root is that of the snapshot, but its definition is not, and stays as it "
                     "was: %s",
                     err && err->text ? err->text : strerror(-r)) < 0)
                sentence = NULL;
        *state = JOB_STATE_FAILED;
        free(*text);
        *text = TAKE_PTR(sentence);
}

/* Nobody else makes a volume of that name meanwhile, and there was none when the job began, or when
 * it wrote its definition down: where there is one, it is the job's, and whole. */
bool job_after_is_made(const Job *job) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        const Manager *m = job->manager;
        _cleanup_free_ char *xml = NULL;
        const Container *c;
        size_t size;

        if (!(job->spec->flags & JOB_DEFINE) || load_definition(m, job->spec, &xml, &size) < 0 ||
            container_def_parse(xml, size, "the definition", 0, &def, NULL, NULL) < 0)
                return false;
        c = container_table_by_name(&m->containers, def->name);
        return !(c && container_is_defined(c)) && guard_volume(m, def->name, NULL) >= 0;
}

/*
 * A new root
 */

static bool makes_root(JobKind kind) {
        switch (kind) {
        case JOB_BOOTSTRAP:
        case JOB_VOLUME_CLONE:
        case JOB_VOLUME_UPLOAD:
        case JOB_VOLUME_RENAME:
        case JOB_SNAPSHOT_REVERT:
        case JOB_IMPORT:
                return true;
        case JOB_VOLUME_DOWNLOAD:
        case JOB_VOLUME_RESIZE:
        case JOB_VOLUME_DELETE:
        case JOB_SNAPSHOT_CREATE:
        case JOB_SNAPSHOT_DELETE:
        case JOB_BASE_DELETE:
        case JOB_EXPORT:
        case JOB_POOL_BUILD:
        case JOB_POOL_REPAIR:
        case JOB_CLEAN:
                break;
        }
        return false;
}

/* The files that a definition becomes go into the root as well. */
static void generate_into(Manager *m, const char *name) {
        Container *c = container_table_by_name(&m->containers, name);
        _cleanup_error_ Error *err = NULL;
        int r;

        if (!c || !c->def)
                return;
        r = define_generate(m, c->def, c->resolved, &err);
        if (r < 0) {
                log_error("Container '%s': %s", name, err && err->text ? err->text : strerror(-r));
                return;
        }
        r = container_refresh(m, c);
        if (r > 0)
                manager_request_reload(m);
}

static void start_unit(Manager *m, const char *unit) {
        int r = m->units ? unit_client_job(m->units, UNIT_JOB_START, unit, NULL, NULL) : -ENOTCONN;

        if (r < 0)
                log_error_errno(r, "Could not start %s again", unit);
}

typedef struct StartCall {
        Manager *manager;
        char *unit;
} StartCall;

static void on_reloaded(const UnitReply *reply, void *userdata) {
        StartCall *call = userdata;

        if (reply->error)
                log_warning("Could not reload systemd: %s", reply->error->message);
        start_unit(call->manager, call->unit);
        free(call->unit);
        free(call);
}

/* With the files that were made for it just now. */
static int start_after_reload(Manager *m, const char *unit) {
        StartCall *call = calloc(1, sizeof(*call));
        int r = -ENOMEM;

        if (call)
                call->unit = strdup(unit);
        if (call && call->unit) {
                call->manager = m;
                r = unit_client_reload(m->units, on_reloaded, call);
        }
        if (r < 0 && call) {
                free(call->unit);
                free(call);
        }
        return r;
}

static void start_again(Manager *m, const char *name) {
        _cleanup_free_ char *unit = container_unit_name(name);

        if (!unit)
                return;
        if (!m->reload_wanted || !m->units || start_after_reload(m, unit) < 0)
                start_unit(m, unit);
}

void job_after(Job *job, JobState *state, char **text) {
        const JobSpec *spec = job->spec;

        if (spec->flags & JOB_FREEZE)
                job_thaw(job);
        if (*state == JOB_STATE_DONE && job->warning)
                add_lines(text, (char *[]){ job->warning, NULL });
        if (*state == JOB_STATE_DONE && ((spec->flags & JOB_DEFINE) || spec->kind == JOB_BOOTSTRAP))
                define_after(job, state, text);
        if (spec->flags & JOB_REDEFINE)
                redefine_after(job, state, text);
        /* Also for one that was killed: the root may have had its name already. */
        if (makes_root(spec->kind) && spec->name)
                generate_into(job->manager, spec->name);
        if (spec->flags & JOB_START)
                start_again(job->manager, spec->name);
}

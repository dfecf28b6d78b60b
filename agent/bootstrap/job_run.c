/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/job_run.h"

#include "agent/bootstrap/base_cache.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/bootstrap/image_program.h"
#include "agent/bootstrap/job_room.h"
#include "agent/bootstrap/job_run_parts.h"
#include "agent/pool/volume.h"
#include "base/fileio.h"

#define TELL_BYTES (UINT64_C(4) * 1024 * 1024)

void job_stage(const JobWork *w, unsigned number, unsigned count, const char *what) {
        w->context->report->stage(w->context->report->userdata, number, count, what);
}

int job_check_canceled(const JobWork *w) {
        return w->context->report->canceled(w->context->report->userdata) ? -ECANCELED : 0;
}

static int on_progress(void *userdata, uint64_t done_bytes, const char *path) {
        const JobReport *report;
        JobWork *w = userdata;

        report = w->context->report;
        if (w->total_bytes > 0 && done_bytes - w->told_bytes >= TELL_BYTES) {
                w->told_bytes = done_bytes;
                report->percent(report->userdata,
                                100.0 * (double) done_bytes / (double) w->total_bytes);
        }
        return job_check_canceled(w);
}

int job_save_definition(const JobWork *w, const ContainerDef *def, Error **err) {
        _cleanup_free_ char *path = NULL, *xml = NULL;
        int r;

        r = container_def_format(def, &xml);
        if (r >= 0 && asprintf(&path, "%s/definition.xml", w->spec->id) < 0) {
                path = NULL;
                r = -ENOMEM;
        }
        if (r >= 0)
                r = write_file_at(w->context->jobs_fd, path, xml, strlen(xml), 0600, 0);
        return r < 0 ? error_set(err, -r, "cannot keep its definition: %s", strerror(-r)) : 0;
}

/* What an image wants to run. */
static int complete_definition(const JobWork *w, const ImageCommand *command, ContainerDef *def,
                               Error **err) {
        int r = image_program_apply(command, def, w->notes);

        return r > 0 ? job_save_definition(w, def, err) : r;
}

static int run_bootstrap(JobWork *w, Error **err) {
        const BootstrapOptions options = {
                .replace = w->spec->flags & JOB_REPLACE,
                .base_max_age_usec = w->spec->base_max_age_usec,
        };
        _cleanup_bootstrap_result_ BootstrapResult result = { 0 };
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        const JobSpec *s = w->spec;
        int r;

        if (!s->definition)
                return error_set(err, EINVAL, "the job has no definition");
        r = container_def_parse(s->definition, strlen(s->definition), "definition.xml", 0, &def,
                                NULL, err);
        if (r >= 0)
                r = bootstrap_run(w->pool, def, s->id, &options, w->context->report, &result, err);
        STRV_FOREACH(warning, result.warnings)
                if (r >= 0)
                        r = strv_extend(w->notes, *warning);
        return r < 0 ? r : complete_definition(w, &result.command, def, err);
}

static int run_base_delete(JobWork *w, Error **err) {
        _cleanup_base_ Base base = { 0 };
        int r;

        r = base_find(w->pool, w->spec->source, &base, err);
        if (r >= 0)
                r = base_delete(w->pool, &base, w->spec->id);
        return r < 0 ? error_set(err, -r, "cannot delete base %s: %s", w->spec->source,
                                 r == -EBUSY ? "it is being copied" : strerror(-r))
                     : r;
}

static int run(JobWork *w, Error **err) {
        switch (w->spec->kind) {
        case JOB_BOOTSTRAP:
                return run_bootstrap(w, err);
        case JOB_VOLUME_CLONE:
                return job_run_volume_clone(w, err);
        case JOB_VOLUME_DOWNLOAD:
                return job_run_volume_download(w, err);
        case JOB_VOLUME_UPLOAD:
                return job_run_volume_upload(w, err);
        case JOB_VOLUME_RESIZE:
                return job_run_volume_resize(w, err);
        case JOB_VOLUME_RENAME:
                return job_run_volume_rename(w, err);
        case JOB_VOLUME_DELETE:
                return job_run_volume_delete(w, err);
        case JOB_SNAPSHOT_CREATE:
                return job_run_snapshot_create(w, err);
        case JOB_SNAPSHOT_REVERT:
                return job_run_snapshot_revert(w, err);
        case JOB_SNAPSHOT_DELETE:
                return job_run_snapshot_delete(w, err);
        case JOB_BASE_DELETE:
                return run_base_delete(w, err);
        case JOB_EXPORT:
                return job_run_export(w, err);
        case JOB_IMPORT:
                return job_run_import(w, err);
        case JOB_POOL_BUILD:
                return job_run_pool_build(w, err);
        case JOB_POOL_REPAIR:
                return job_run_pool_repair(w, err);
        case JOB_CLEAN:
                return job_run_clean(w, err);
        }
        return error_set(err, EINVAL, "unknown kind of job");
}

/* Jobs that work on a pool that there is not, or that pool_open() refuses. */
static bool needs_pool(JobKind kind) {
        return kind != JOB_POOL_BUILD && kind != JOB_POOL_REPAIR;
}

/* Those that bring as much into the pool as somebody else likes. */
static bool fills_pool(JobKind kind) {
        return kind == JOB_BOOTSTRAP || kind == JOB_VOLUME_CLONE || kind == JOB_VOLUME_UPLOAD ||
               kind == JOB_SNAPSHOT_CREATE || kind == JOB_SNAPSHOT_REVERT || kind == JOB_IMPORT;
}

static int count_again(const Pool *p, bool may_be) {
        return p && p->backend->count_again ? p->backend->count_again(p->fd, may_be) : 0;
}

static bool is_counting(const Pool *p) {
        return p && p->backend->is_counting && p->backend->is_counting(p->fd) > 0;
}

/* Before it for what another has left: a still, which the agent takes; a job that was killed. */
static int run_counted(JobWork *w, Error **err) {
        bool was_counting;
        int counted, r;

        (void) count_again(w->pool, false);
        was_counting = is_counting(w->pool);
        r = run(w, err);
        counted = count_again(w->pool, was_counting);
        if (r < 0 || counted >= 0)
                return r;
        return strv_extendf(w->notes,
                            "the limits of volumes are not counted: %s; 'ctvirt pool-check "
                            "--repair' tries it again",
                            strerror(-counted));
}

int job_run(const JobContext *context, const JobSpec *spec, char ***ret_notes, Error **err) {
        _cleanup_pool_ Pool *pool = NULL;
        JobContext own = *context;
        JobWork w = { .context = &own, .spec = spec, .notes = ret_notes };
        JobRoom room;
        int r = 0;

        if (needs_pool(spec->kind))
                r = pool_open(context->root, &pool, err);
        if (r < 0)
                return r;
        w.pool = pool;
        w.progress = (TreeProgress){ on_progress, &w };
        if (!fills_pool(spec->kind))
                return run_counted(&w, err);
        job_room_init(&room, context->report, pool->fd);
        own.report = &room.report;
        return job_room_result(&room, run_counted(&w, err), err);
}

/* Everything that is somebody else's is kept. */
typedef struct CleanOne {
        const JobContext *context;
        const char *id;
} CleanOne;

static bool is_another(void *userdata, const char *id) {
        const CleanOne *one = userdata;

        return !streq(id, one->id);
}

int job_clean(const JobContext *context, const char *id, Error **err) {
        CleanOne one = { context, id };
        _cleanup_pool_ Pool *pool = NULL;
        int r;

        r = pool_open(context->root, &pool, err);
        if (r < 0)
                return r;
        r = pool_clean(pool, is_another, &one, NULL, NULL, err);
        (void) count_again(pool, is_counting(pool));
        return r;
}

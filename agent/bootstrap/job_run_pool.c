/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The pool as a whole.
 */

#include <fcntl.h>

#include "agent/bootstrap/job_result.h"
#include "agent/bootstrap/job_run_parts.h"
#include "agent/bootstrap/tool.h"
#include "agent/pool/pool_build.h"
#include "agent/pool/pool_check.h"
#include "agent/pool/volume.h"

int job_run_clean(JobWork *w, Error **err) {
        _cleanup_strv_ char **removed = NULL;
        int r;

        job_stage(w, 1, 1, "Removing what is no longer needed");
        r = pool_clean(w->pool, job_is_at_work, (void *) &w->context->jobs_fd, &w->progress,
                       &removed, err);
        STRV_FOREACH(id, removed)
                if (r >= 0)
                        r = strv_extendf(w->notes, "half-done work of job %s was removed", *id);
        return r;
}

static int run_tool(void *userdata, const char *const argv[], const char *package, Error **err) {
        const JobWork *w = userdata;
        const Tool tool = {
                .arguments = (char *const *) argv,
                .kind = TOOL_PLAIN,
                .report = w->context->report,
                .install = package,
        };

        return tool_run(&tool, err);
}

int job_run_pool_build(JobWork *w, Error **err) {
        const PoolBuild build = {
                .root = w->context->root,
                .source = w->spec->source,
                .size = w->spec->size,
                .overwrite = w->spec->flags & JOB_OVERWRITE,
                .run = run_tool,
                .userdata = w,
        };
        int r;

        job_stage(w, 1, 3, "Checking");
        r = pool_build_check(&build, err);
        if (r < 0)
                return r;
        job_stage(w, 2, 3, "Making the filesystem");
        r = pool_build_format(&build, err);
        if (r >= 0)
                r = pool_build_write_unit(&build, err);
        if (r < 0)
                return r;
        job_stage(w, 3, 3, "Mounting");
        if (!w->context->mount_pool)
                return error_set(err, EOPNOTSUPP, "it cannot be mounted from here");
        r = w->context->mount_pool(err);
        return r < 0 ? r : pool_build_finish(w->context->root, err);
}

int job_run_pool_repair(JobWork *w, Error **err) {
        _cleanup_pool_problem_list_ PoolProblemList mended = { 0 }, left = { 0 };
        int r;

        job_stage(w, 1, 1, "Repairing");
        r = pool_repair(w->context->root, job_is_at_work, (void *) &w->context->jobs_fd, &mended,
                        &left, err);
        for (size_t i = 0; r >= 0 && i < mended.n_items; i++)
                r = strv_extendf(w->notes, "mended: %s", mended.items[i].text);
        for (size_t i = 0; r >= 0 && i < left.n_items; i++)
                r = strv_extendf(w->notes, "left: %s", left.items[i].text);
        return r;
}

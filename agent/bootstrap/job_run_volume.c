/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/job_run_parts.h"
#include "agent/pool/snapshot.h"

int job_run_volume_clone(JobWork *w, Error **err) {
        const JobSpec *s = w->spec;

        job_stage(w, 1, 1, "Copying");
        return volume_clone(w->pool, s->source, s->name, s->id, &w->progress, err);
}

int job_run_volume_resize(JobWork *w, Error **err) {
        job_stage(w, 1, 1, "Resizing");
        return volume_resize(w->pool, w->spec->name, w->spec->size, err);
}

int job_run_volume_rename(JobWork *w, Error **err) {
        job_stage(w, 1, 1, "Renaming");
        return volume_rename(w->pool, w->spec->source, w->spec->name, w->spec->id, err);
}

/* Without their root nobody would find them again, and they go on taking space. */
static int refuse_snapshots(const JobWork *w, Error **err) {
        const char *name = w->spec->name;
        int r = snapshot_any(w->pool, name, err);

        return r <= 0 ? r
                      : error_set(err, ENOTEMPTY,
                                  "'%s' has snapshots; to delete them as well: ctvirt vol-delete "
                                  "%s --delete-snapshots",
                                  name, name);
}

/* The snapshots first: a volume that is there still says that they belong to something. Of a root
 * that is gone they can still be deleted. */
int job_run_volume_delete(JobWork *w, Error **err) {
        _cleanup_error_ Error *why = NULL;
        const JobSpec *s = w->spec;
        int had_snapshots, r;

        job_stage(w, 1, 1, "Deleting");
        had_snapshots = s->flags & JOB_SNAPSHOTS ? snapshot_delete_all(w->pool, s->name, s->id, err)
                                                 : refuse_snapshots(w, err);
        if (had_snapshots < 0)
                return had_snapshots;
        r = volume_delete(w->pool, s->name, s->id, &why);
        if (r == -ENOENT && had_snapshots > 0)
                return 0;
        if (err)
                *err = TAKE_PTR(why);
        return r;
}

int job_run_snapshot_create(JobWork *w, Error **err) {
        const JobSpec *s = w->spec;
        const Snapshot snapshot = {
                .name = s->snapshot,
                .description = s->text,
                .state = s->flags & JOB_FREEZE ? SNAPSHOT_RUNNING : SNAPSHOT_SHUTOFF,
                .definition = s->definition,
        };

        job_stage(w, 1, 1, "Copying");
        return snapshot_create(w->pool, s->name, &snapshot, s->id, &w->progress, err);
}

int job_run_snapshot_revert(JobWork *w, Error **err) {
        const JobSpec *s = w->spec;

        job_stage(w, 1, 1, "Copying");
        return snapshot_revert(w->pool, s->name, s->snapshot, s->id, s->flags & JOB_REDEFINE,
                               &w->progress, err);
}

int job_run_snapshot_delete(JobWork *w, Error **err) {
        const JobSpec *s = w->spec;

        job_stage(w, 1, 1, "Deleting");
        return snapshot_delete(w->pool, s->name, s->snapshot, s->id, err);
}

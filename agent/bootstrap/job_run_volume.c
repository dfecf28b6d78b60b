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

/* The snapshots first: a volume that is there still says that they belong to something. */
int job_run_volume_delete(JobWork *w, Error **err) {
        const JobSpec *s = w->spec;
        int r = 0;

        job_stage(w, 1, 1, "Deleting");
        if (s->flags & JOB_SNAPSHOTS)
                r = snapshot_delete_all(w->pool, s->name, s->id, err);
        return r < 0 ? r : volume_delete(w->pool, s->name, s->id, err);
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

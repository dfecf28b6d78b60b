#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Between job_run.c and the files that have its kinds.
 */

#include "agent/bootstrap/job_run.h"
#include "agent/pool/pool_backend.h"
#include "xml/container_def.h"

/* A job under way. */
typedef struct JobWork {
        const JobContext *context;
        const JobSpec *spec;
        Pool *pool;
        TreeProgress progress; /* reports bytes, and ends the work when the job is canceled */
        uint64_t told_bytes;   /* at the last report of them */
        uint64_t total_bytes;  /* 0: not known */
        char ***notes;
} JobWork;

void job_stage(const JobWork *w, unsigned number, unsigned count, const char *what);

/* -ECANCELED when the job has been. */
int job_check_canceled(const JobWork *w);

/* Writes definition.xml of the job, for the agent, which takes it over. */
int job_save_definition(const JobWork *w, const ContainerDef *def, Error **err);

/* agent/bootstrap/job_run_volume.c */
int job_run_volume_clone(JobWork *w, Error **err);
int job_run_volume_resize(JobWork *w, Error **err);
int job_run_volume_rename(JobWork *w, Error **err);
int job_run_volume_delete(JobWork *w, Error **err);
int job_run_snapshot_create(JobWork *w, Error **err);
int job_run_snapshot_revert(JobWork *w, Error **err);
int job_run_snapshot_delete(JobWork *w, Error **err);

/* agent/bootstrap/job_run_archive.c */
int job_run_volume_download(JobWork *w, Error **err);
int job_run_volume_upload(JobWork *w, Error **err);
int job_run_export(JobWork *w, Error **err);
int job_run_import(JobWork *w, Error **err);

/* agent/bootstrap/job_run_pool.c */
int job_run_clean(JobWork *w, Error **err);
int job_run_pool_build(JobWork *w, Error **err);
int job_run_pool_repair(JobWork *w, Error **err);

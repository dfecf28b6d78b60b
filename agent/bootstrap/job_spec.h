#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * JobSpec: one piece of long work on the pool, as the agent hands it to ctvirt-job:
 * /run/ctvirt/jobs/ID/job, KEY=value lines, with definition.xml beside it where there is one.
 * The folder is root's alone (0700). /run/ctvirt/jobs/ID/result is what came of it.
 */

#include "base/error.h"
#include "base/strv.h"

#define JOBS_FOLDER "jobs" /* below CTVIRT_RUN_DIR */
#define JOB_ID_LENGTH 8    /* lower-case hex digits */

typedef enum JobKind {
        JOB_BOOTSTRAP,       /* name; definition.xml says how, and in the result what it runs */
        JOB_VOLUME_CLONE,    /* source -> name */
        JOB_VOLUME_DOWNLOAD, /* name -> stdout, a tar stream */
        JOB_VOLUME_UPLOAD,   /* stdin, a tar stream -> name */
        JOB_VOLUME_RESIZE,   /* name, size */
        JOB_VOLUME_RENAME,   /* source -> name */
        JOB_VOLUME_DELETE,   /* name; with JOB_SNAPSHOTS its snapshots too */
        JOB_SNAPSHOT_CREATE, /* name, snapshot; definition.xml goes with it */
        JOB_SNAPSHOT_REVERT, /* name, snapshot */
        JOB_SNAPSHOT_DELETE, /* name, snapshot */
        JOB_BASE_DELETE,     /* source: its key */
        JOB_EXPORT,          /* name -> stdout; definition.xml goes with it */
        JOB_IMPORT,     /* stdin -> name; what it was defined as: definition.xml in the result */
        JOB_POOL_BUILD, /* source: device or image file, size */
        JOB_POOL_REPAIR,
        JOB_CLEAN, /* the trash, and what jobs that are no more left behind */
} JobKind;

const char *job_kind_to_string(JobKind k); /* "bootstrap", "volume-clone", … */
int job_kind_from_string(const char *s);   /* -EINVAL */

typedef enum JobFlags {
        JOB_REPLACE = 1 << 0,   /* what has the name already goes to the trash */
        JOB_OVERWRITE = 1 << 1, /* a device that holds data */
        JOB_READ_ONLY = 1 << 2,
        JOB_SNAPSHOTS = 1 << 3,
        /* What the agent does around the job, kept here so that its next life knows. */
        JOB_FREEZE = 1 << 4, /* the container `source` (or else `name`) is frozen meanwhile, or
                              * until POOL_NEW/ID is a snapshot of it, volume_take_still() */
        JOB_START = 1 << 5,  /* the container `name` is started when the job is done */
        JOB_DEFINE = 1 << 6, /* definition.xml becomes a definition when the job is done */
        JOB_MOVED = 1 << 7,  /* an import keeps UUID and MAC addresses */
        /* A revert brings the definition back too; as a POOL_INTENT_REVERT, which the agent does */
        JOB_REDEFINE = 1 << 8,
} JobFlags;

#define JOB_FLAGS_ALL ((1 << 9) - 1)

typedef struct JobSpec {
        char *id;
        JobKind kind;
        char *name;     /* the volume that it makes or changes */
        char *source;   /* see JobKind */
        char *snapshot; /* name of one */
        char *text;     /* description of a snapshot */
        char *compression;
        uint64_t size;              /* bytes; UINT64_MAX: none */
        uint64_t base_max_age_usec; /* of JOB_BOOTSTRAP; UINT64_MAX: bases do not become too old */
        JobFlags flags;
        char *definition; /* XML; NULL: none */
} JobSpec;

/* The text of the file; without ID and definition. */
int job_spec_parse(const char *text, size_t size, JobSpec **ret, Error **err);
int job_spec_format(const JobSpec *spec, char **ret, size_t *ret_size);

/* Reads the folder of a job; everything in it is checked as if it came from outside. */
int job_spec_load(int jobs_fd, const char *id, JobSpec **ret, Error **err);
/* Makes the folder. -EEXIST: the ID is taken. */
int job_spec_save(int jobs_fd, const JobSpec *spec);
JobSpec *job_spec_free(JobSpec *spec);
DEFINE_CLEANUP(JobSpec *, job_spec_free)
#define _cleanup_job_spec_ _cleanup_(job_spec_freep)

/* The container that is frozen meanwhile, with JOB_FREEZE; NULL: none. */
const char *job_spec_frozen(const JobSpec *spec);

bool job_id_is_valid(const char *s);

/* The name of an import that has been begun without one, as the job has read it in the bundle: kept
 * beside the spec, for the agent, and for other jobs. learn: true if it is known now, and was not. */
int job_spec_note_name(int jobs_fd, const char *id, const char *name);
bool job_spec_learn_name(int jobs_fd, JobSpec *spec);

/* Names of the folders in jobs_fd, sorted. */
int job_spec_list(int jobs_fd, char ***ret);

/* The folder goes, whatever is in it. 0 also if there was none. */
int job_spec_remove(int jobs_fd, const char *id);

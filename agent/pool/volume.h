#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Volumes: the trees and images of a pool under the names that people see.
 */

#include "agent/pool/pool.h"
#include "agent/pool/pool_backend.h"

typedef enum VolumeType {
        VOLUME_SUBVOLUME,
        VOLUME_DIRECTORY,
        VOLUME_RAW, /* NAME.raw */
} VolumeType;

const char *volume_type_to_string(VolumeType t); /* "subvolume", "directory", "raw" */
int volume_type_from_string(const char *s);      /* -EINVAL */

/* A container's name, so that every volume can become one; without ".raw" at its end, which would
 * be the image of another. */
bool volume_name_is_valid(const char *s);

typedef struct Volume {
        char *name; /* without ".raw" */
        VolumeType type;
        bool read_only;
        uint64_t used;         /* bytes; UINT64_MAX: not known without walking the tree */
        uint64_t limit;        /* bytes; UINT64_MAX: none; of an image its size */
        uint64_t created_usec; /* CLOCK_REALTIME; 0: not known */
} Volume;

void volume_done(Volume *v);
#define _cleanup_volume_ _cleanup_(volume_done)

typedef struct VolumeList {
        Volume *items; /* sorted by name */
        size_t n_items;
} VolumeList;

void volume_list_done(VolumeList *l);
#define _cleanup_volume_list_ _cleanup_(volume_list_done)

/* Everything in the pool that is a volume: no dot files, no symlinks, no mount points of others,
 * nothing that is called POOL_IMPORT_PREFIX and an ID. */
int volume_list(const Pool *p, VolumeList *ret);
/* -ENOENT; -ELOOP for a symlink, -EXDEV for a mount point; with a sentence. */
int volume_get(const Pool *p, const char *name, Volume *ret, Error **err);

/* True if volume_clone() from it costs the same whatever its size is. */
bool volume_clone_is_quick(const Pool *p, const Volume *v);

/* A whole copy, built as POOL_NEW/ID and published under the name at the end. -EEXIST, -ENOENT. */
int volume_clone(const Pool *p, const char *from, const char *to, const char *id,
                 const TreeProgress *progress, Error **err);
/* A read-only snapshot of a tree as POOL_NEW/ID, if it costs next to nothing: 1; otherwise 0, and
 * there is none. For one who reads for longer than the tree stays as it is, and removes it then. */
int volume_take_still(const Pool *p, const char *name, const char *id, Error **err);
/* The tree of a volume, opened: the still that the job has, or the volume itself. */
int volume_open_still(const Pool *p, const char *name, const char *id, Error **err);
void volume_drop_still(const Pool *p, const char *id);

/* Its snapshots go with it: what a crash leaves in between pool_clean() finishes. -EEXIST, -ENOENT.
 * Whether somebody uses it is the caller's to know. */
int volume_rename(const Pool *p, const char *from, const char *to, const char *id, Error **err);
/* In one step: what was there goes to POOL_TRASH, see pool_clean(). Its snapshots stay, see
 * snapshot_delete_all(). -ENOENT, -EBUSY: something is mounted there. */
int volume_delete(const Pool *p, const char *name, const char *id, Error **err);
/* limit UINT64_MAX: none. -EINVAL for what is less than a tree uses, and for an image, which can
 * only grow. -EOPNOTSUPP: no quota here. What is used is not known before there is quota: the first
 * limit is set, and taken back if it turns out to be too small within some seconds. */
int volume_resize(const Pool *p, const char *name, uint64_t limit, Error **err);

/*
 * For those that build a volume: what stands in POOL_NEW under the job's ID.
 */

/* An empty tree there; *ret_fd is it, opened. -EEXIST. */
int volume_begin(const Pool *p, const char *id, int *ret_fd, Error **err);
/* The tree (or, with VOLUME_RAW, the image) gets its name, after everything in it has been written
 * to the disk. The name must be free (-EEXIST), or with replace what had it goes to the trash in
 * the same step (RENAME_EXCHANGE). */
int volume_publish(const Pool *p, const char *id, VolumeType type, const char *name, bool replace,
                   Error **err);

/* Finishes renames that were interrupted (POOL_INTENTS), and removes everything in POOL_TRASH and, in
 * POOL_NEW and behind POOL_IMPORT_PREFIX: all that keep() does not claim; it is asked for the ID alone, what follows a '-' belongs to the same job.
 * *ret_removed (may be NULL): the IDs whose half-done work was found. */
int pool_clean(const Pool *p, bool (*keep)(void *userdata, const char *id), void *userdata,
               const TreeProgress *progress, char ***ret_removed, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where volumes are, and moving them in and out of the pool's own folders: what volume.h,
 * snapshot.h and pool_clean() have in common.
 */

#include "agent/pool/volume.h"

typedef struct VolumePlace {
        char *file; /* its name in the pool: NAME or NAME.raw */
        VolumeType type;
} VolumePlace;

void volume_place_done(VolumePlace *v);
#define _cleanup_volume_place_ _cleanup_(volume_place_done)

/* -EINVAL: no name of a volume; -ENOENT; -ELOOP: a symlink; -EXDEV: a mount point. */
int volume_find(const Pool *p, const char *name, VolumePlace *ret, Error **err);
/* -EEXIST if a tree or an image has the name. */
int volume_require_free(const Pool *p, const char *name, Error **err);
/* -EBUSY if something is mounted in it: it would move with it. */
int volume_require_unmounted(int dir_fd, const char *file, Error **err);
/* IDs become names of files. */
int volume_require_id(const char *id, Error **err);
char *volume_file_name(VolumeType type, const char *name); /* NULL when memory is short */

/* One of the pool's own folders, POOL_NEW and so on. */
int pool_folder(const Pool *p, const char *folder, Error **err);

/* renameat2(2), also of what is read-only (it is again afterwards). */
int volume_move(const Pool *p, int from_fd, const char *from, int to_fd, const char *to,
                unsigned flags);
/* Moves something out of everybody's sight. */
int volume_trash(const Pool *p, int dir_fd, const char *file, const char *id, Error **err);

/* Gives what stands in POOL_NEW as id the name file, and waits until that is on the disk. With
 * replace what had the name goes to the trash; else -EEXIST. What is in it must be on the disk. */
int volume_publish_file(const Pool *p, const char *id, const char *file, bool replace, Error **err);

/* What both kinds of copies need: an image (synced; POOL_NEW or a folder of snapshots is the target),
 * the limit of a tree, and all that is in a tree on the disk. */
int volume_copy_image(int from_fd, const char *from, int to_fd, const char *to,
                      const TreeProgress *progress, Error **err);
int volume_copy_limit(const Pool *p, int from_fd, const char *from, int to_fd, const char *to,
                      Error **err);
int volume_sync_tree(int dir_fd, const char *file, Error **err);
/* A snapshot of it need not be synced before it gets its name: it is on the disk when the name is. */
bool volume_snapshot_is_synced(const Pool *p, int dir_fd, const char *file);

/* What tells a tree or image from all others that are and have been in this pool, across restarts of
 * the host: "subvolume ID", "inode NUMBER". The caller's to free(). */
int volume_identity(const Pool *p, int dir_fd, const char *file, char **ret, Error **err);

/* The rename that an intent tells of: the snapshots follow the volume, if that has its new name. */
int volume_rename_finish(const Pool *p, const char *from, const char *to, Error **err);

/* volume_publish() of what need not be synced. */
int volume_publish_synced(const Pool *p, const char *id, VolumeType type, const char *name,
                          bool replace, Error **err);

/* Removes what a function has built in POOL_NEW in vain. */
void volume_abandon(const Pool *p, const char *id);

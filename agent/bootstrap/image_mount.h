#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ImageMount: the tree in a disk image, to write into it. Mounted by systemd-dissect(1), which finds
 * the partitions that nspawn will find, in the mount namespace of the job: nobody else sees it, and
 * it goes with the job.
 */

#include "agent/bootstrap/job_report.h"
#include "base/error.h"

typedef struct ImageMount {
        char *folder; /* where it is mounted; NULL: it is not */
        int fd;       /* the root of the tree */
} ImageMount;

#define IMAGE_MOUNT_NONE ((ImageMount){ .fd = -1 })

/* path: absolute. Nothing in the image is repaired or made larger. Errors have a sentence: -ENOENT
 * without systemd-dissect, -EIO with what it says for an image without a root, one that is
 * encrypted, or a host without loop devices; -ECANCELED. */
int image_mount(const char *path, const JobReport *report, ImageMount *ret, Error **err);

/* Takes it down; what was written is in the image then. Errors as above. */
int image_unmount(ImageMount *m, Error **err);

/* The same, where it does not matter any more what becomes of it. */
void image_mount_done(ImageMount *m);
#define _cleanup_image_mount_ _cleanup_(image_mount_done)

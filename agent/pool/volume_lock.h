#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * VolumeLock: the lock that systemd-nspawn holds on a tree or image for as long as it runs, and
 * machined while it changes one (systemd, image_path_lock(): an OFD lock on ".#FILE.lck" beside it;
 * who has it exclusively removes the file at the end). A container can be started by anybody at any
 * time, so only this says that its root is not in use, and keeps it so while it is moved.
 */

#include "agent/pool/pool.h"
#include "base/error.h"

typedef struct VolumeLock {
        int pool_fd; /* of the pool, borrowed */
        int fd;      /* -1: nothing is locked */
        char *name;
} VolumeLock;

#define VOLUME_LOCK_INIT ((VolumeLock){ .pool_fd = -1, .fd = -1 })

/* file is NAME or NAME.raw, and need not be there. -EBUSY, with a sentence: it is in use. Never
 * waits. The pool must outlive the lock. */
int volume_lock(const Pool *p, const char *file, VolumeLock *ret, Error **err);
void volume_lock_done(VolumeLock *l);
#define _cleanup_volume_lock_ _cleanup_(volume_lock_done)

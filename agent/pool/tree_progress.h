#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/pool_backend.h"

/* 0, or the negative result with which the work is to end. */
static inline int tree_progress(const TreeProgress *p, uint64_t done_bytes, const char *path) {
        int r = p && p->step ? p->step(p->userdata, done_bytes, path) : 0;

        return r > 0 ? -ECANCELED : r;
}

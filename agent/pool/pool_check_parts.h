#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The parts of pool_check.h among themselves.
 */

#include "agent/pool/pool_check.h"

typedef struct PoolCheck {
        const char *path; /* of the pool */
        int fd;           /* -1: cannot be opened */
        bool (*keep)(void *userdata, const char *id);
        void *userdata;
        bool emptying; /* somebody takes the trash away */
        bool repair;
        PoolProblemList mended, left;
        int result; /* of the first thing that could not be mended */
        Error **err;
} PoolCheck;

/* Notes a sentence. mended: what repair has come to, 0 done. -ENOMEM. */
int pool_check_problem(PoolCheck *c, bool repairable, int mended, const char *format, ...)
        _printf_(4, 5);

/* The limit of one volume, and what it uses of it. */
int pool_check_limit(PoolCheck *c, const char *name);

/* What all limits need: that btrfs counts, and no groups of volumes that are gone. */
int pool_check_limits(PoolCheck *c);

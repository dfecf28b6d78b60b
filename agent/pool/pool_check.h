#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is wrong with the pool, in sentences, and mending what can be mended without losing
 * anything. Works on a pool that pool_open() refuses.
 */

#include "agent/pool/pool.h"

typedef struct PoolProblem {
        char *text;      /* a sentence, or more: what, where, and what to do if it is not ours */
        bool repairable; /* pool_repair() can */
} PoolProblem;

typedef struct PoolProblemList {
        PoolProblem *items;
        size_t n_items;
} PoolProblemList;

void pool_problem_list_done(PoolProblemList *l);
#define _cleanup_pool_problem_list_ _cleanup_(pool_problem_list_done)

/* keep() says which entries of POOL_NEW and POOL_TRASH belong to a job that runs (NULL: none runs).
 * With emptying somebody is taking away what is in the trash, so that is no problem. */
int pool_check(const char *root, bool (*keep)(void *userdata, const char *id), void *userdata,
               bool emptying, PoolProblemList *ret);

/* Mends all that is repairable: *ret_mended are those sentences; what is left is in *ret_left (both
 * may be NULL). The first thing that could not be mended though it should have been is the error;
 * the others are mended all the same. */
int pool_repair(const char *root, bool (*keep)(void *userdata, const char *id), void *userdata,
                PoolProblemList *ret_mended, PoolProblemList *ret_left, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PoolIntent: what is changed in more than one step, written down before the first of them:
 * POOL_INTENTS/ID, KEY=value lines. Whoever finds one of a job that is no more finishes it, or drops
 * it if nothing had happened yet.
 */

#include "agent/pool/pool.h"

typedef enum PoolIntentKind {
        /* A volume and its snapshots get another name: finished by volume_rename_finish(). */
        POOL_INTENT_RENAME,
        /* A root becomes that of a snapshot, and then the definition what it was with that. As soon
         * as the root is `tree` the definition is to follow, which is the agent's to do. */
        POOL_INTENT_REVERT,
} PoolIntentKind;

typedef struct PoolIntent {
        PoolIntentKind kind;
        char *name;     /* the volume, as it is called in the end */
        char *from;     /* rename: what it was called */
        char *snapshot; /* revert: to which */
        char *tree;     /* revert: volume_identity() of what becomes the root */
} PoolIntent;

void pool_intent_done(PoolIntent *i);
#define _cleanup_pool_intent_ _cleanup_(pool_intent_done)

/* The text of the file. -EBADMSG. */
int pool_intent_parse(const char *text, size_t size, PoolIntent *ret);
int pool_intent_format(const PoolIntent *i, char **ret, size_t *ret_size);

/* On the disk when it returns. */
int pool_intent_save(const Pool *p, const char *id, const PoolIntent *i, Error **err);
/* -ENOENT; -EBADMSG: it is damaged. */
int pool_intent_load(const Pool *p, const char *id, PoolIntent *ret, Error **err);
/* 0 also if there is none. */
int pool_intent_remove(const Pool *p, const char *id);
/* The IDs, sorted; without what was being written when a crash came. */
int pool_intent_list(const Pool *p, char ***ret);

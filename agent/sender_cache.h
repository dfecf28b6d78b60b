#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SenderCache: whose the connections are that have lately called. The bus never gives a unique name
 * twice, so what was known of one stays true until the bus itself goes.
 */

#include "agent/request.h"

#define SENDER_CACHE_SIZE 64

typedef struct SenderCache {
        struct {
                char *name; /* NULL: free */
                uid_t uid;
        } entries[SENDER_CACHE_SIZE];
        size_t next; /* the oldest, which goes next */
} SenderCache;

/* UID_UNKNOWN if it is not there. */
uid_t sender_cache_find(const SenderCache *cache, const char *name);

/* In the place of the oldest. Without memory, it is not there. */
void sender_cache_add(SenderCache *cache, const char *name, uid_t uid);

void sender_cache_done(SenderCache *cache);

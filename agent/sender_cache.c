/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/sender_cache.h"

uid_t sender_cache_find(const SenderCache *cache, const char *name) {
        for (size_t i = 0; i < SENDER_CACHE_SIZE; i++)
                if (streq_ptr(cache->entries[i].name, name))
                        return cache->entries[i].uid;
        return UID_UNKNOWN;
}

void sender_cache_add(SenderCache *cache, const char *name, uid_t uid) {
        char *copy;

        if (sender_cache_find(cache, name) != UID_UNKNOWN)
                return;
        copy = strdup(name);
        if (!copy)
                return;
        free(cache->entries[cache->next].name);
        cache->entries[cache->next].name = copy;
        cache->entries[cache->next].uid = uid;
        cache->next = (cache->next + 1) % SENDER_CACHE_SIZE;
}

void sender_cache_done(SenderCache *cache) {
        for (size_t i = 0; i < SENDER_CACHE_SIZE; i++)
                free(cache->entries[i].name);
        *cache = (SenderCache){ 0 };
}

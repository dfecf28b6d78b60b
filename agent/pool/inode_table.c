/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/inode_table.h"

#define SLOTS_FIRST 64

void inode_table_done(InodeTable *t) {
        for (size_t i = 0; i < t->n_slots; i++)
                free(t->slots[i].path);
        free(t->slots);
        *t = (InodeTable){ 0 };
}

static InodeKey key_of(const struct statx *st) {
        return (InodeKey){
                .device = (uint64_t) st->stx_dev_major << 32 | st->stx_dev_minor,
                .inode = st->stx_ino,
                .born_sec = st->stx_mask & STATX_BTIME ? st->stx_btime.tv_sec : 0,
                .born_nsec = st->stx_mask & STATX_BTIME ? st->stx_btime.tv_nsec : 0,
        };
}

static bool key_equal(const InodeKey *a, const InodeKey *b) {
        return a->inode == b->inode && a->device == b->device && a->born_sec == b->born_sec &&
               a->born_nsec == b->born_nsec;
}

/* Where the key is, or is to be put. There is always a free slot. */
static InodeSlot *find(const InodeTable *t, const InodeKey *key) {
        uint64_t hash = (key->inode ^ key->device << 17) * UINT64_C(0x9e3779b97f4a7c15);
        size_t i = (size_t) (hash >> 32) & (t->n_slots - 1);

        while (t->slots[i].path && !key_equal(&t->slots[i].key, key))
                i = (i + 1) & (t->n_slots - 1);
        return &t->slots[i];
}

static int grow(InodeTable *t) {
        InodeTable bigger = { .n_slots = t->n_slots ? t->n_slots * 2 : SLOTS_FIRST };

        bigger.slots = calloc(bigger.n_slots, sizeof(InodeSlot));
        if (!bigger.slots)
                return -ENOMEM;
        for (size_t i = 0; i < t->n_slots; i++)
                if (t->slots[i].path)
                        *find(&bigger, &t->slots[i].key) = t->slots[i];
        bigger.n_used = t->n_used;
        free(t->slots);
        *t = bigger;
        return 0;
}

int inode_table_add(InodeTable *t, const struct statx *st, const char *path,
                    const char **ret_path) {
        InodeKey key = key_of(st);
        InodeSlot *slot;

        if (2 * (t->n_used + 1) > t->n_slots && grow(t) < 0)
                return -ENOMEM;
        slot = find(t, &key);
        if (slot->path) {
                *ret_path = slot->path;
                return 0;
        }
        slot->path = strdup(path);
        if (!slot->path)
                return -ENOMEM;
        slot->key = key;
        t->n_used++;
        return 1;
}

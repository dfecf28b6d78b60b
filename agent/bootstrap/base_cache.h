#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bases: what a source made, kept read-only in the pool under its key, so that the next container
 * of the kind is a snapshot. POOL_BASES/KEY is the tree (KEY.raw the image), which is whole from
 * the moment that it has the name; KEY.conf beside it says what went into it, and its time of
 * modification is when it was used last.
 */

#include "agent/bootstrap/base_key.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/pool/pool_backend.h"

#define BASE_PREFIX_MIN 8 /* digits of a key that a person has to give at least */

typedef struct Base {
        char key[BASE_KEY_LENGTH + 1];
        bool image;
        uint64_t made_usec, used_usec; /* CLOCK_REALTIME */
        char **facts;                  /* "NAME=value": what went into it */
        ImageCommand command;
} Base;

void base_done(Base *b);
#define _cleanup_base_ _cleanup_(base_done)

typedef struct BaseList {
        Base *items; /* the one that was used last in front */
        size_t n_items;
} BaseList;

void base_list_done(BaseList *l);
#define _cleanup_base_list_ _cleanup_(base_list_done)

int base_list(const Pool *p, BaseList *ret);

/* By its key or the first digits of it. -ENOENT, -ENOTUNIQ, -EINVAL with a sentence. */
int base_find(const Pool *p, const char *key, Base *ret, Error **err);

/* The base of that very key, if it is not older than max_age_usec: 1; else 0. */
int base_lookup(const Pool *p, const char *key, uint64_t max_age_usec, Base *ret);

/* A whole, writable copy as POOL_NEW/ID. */
int base_use(const Pool *p, const Base *b, const char *id, const TreeProgress *progress);

/* POOL_NEW/ID becomes the base of b->key, with b's facts; b->made_usec is set. An old one of that
 * key goes to the trash. If another job has just made one, that is as good: what stood at
 * POOL_NEW/ID goes to the trash instead, and b is what the other has made. */
int base_keep(const Pool *p, const char *id, uint64_t max_age_usec, Base *b);

/* To the trash; see pool_clean(). -EBUSY: it is being copied. */
int base_delete(const Pool *p, const Base *b, const char *id);

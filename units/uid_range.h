#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Choosing the UID/GID range of a new container: 65536 ids inside systemd's container range
 * (docs/UIDS-GIDS.md of systemd: 524288..1879048191) that nobody else has.
 */

#include "base/error.h"
#include "base/strv.h"

#define UID_RANGE_FIRST 0x00080000U
#define UID_RANGE_LAST 0x6fff0000U /* first id of the last range */
#define UID_RANGE_SIZE 0x10000U

typedef struct UidRanges {
        uint64_t *bases; /* pairs base, count */
        size_t n_bases;
} UidRanges;

/*
 * Collects the ranges in use below root: PrivateUsers=BASE:COUNT of all .nspawn files (except that
 * of the container `except`, may be NULL), /etc/subuid and /etc/subgid, owners of the trees in
 * /var/lib/machines (shifted by nspawn -U; except that of `except`), and users and groups of
 * /etc/passwd and /etc/group. The caller adds the ranges of its definitions.
 */
int uid_ranges_load(const char *root, const char *except, UidRanges *ret);
int uid_ranges_add(UidRanges *r, uint32_t base, uint32_t count);
bool uid_ranges_overlap(const UidRanges *r, uint32_t base, uint32_t count);

/* A free base; begins its search at a place hashed from the name, so that a name gets the same
 * range on every host where it is free. -ENOSPC: none left. */
int uid_ranges_pick(const UidRanges *r, const char *container, uint32_t *ret_base);

void uid_ranges_done(UidRanges *r);
#define _cleanup_uid_ranges_ _cleanup_(uid_ranges_done)

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sizes and times as virsh prints and takes them.
 */

#include "base/error.h"

#define SIZE_STRING_MAX 32

/* "20.00 GiB"; "-" for UINT64_MAX. Writes into buffer and returns it. */
const char *size_format(uint64_t bytes, char buffer[static SIZE_STRING_MAX]);

/* "20G", "20GiB", "500M", "1GB" (1000s), "4096" (bytes). -EINVAL with a sentence. */
int size_parse(const char *s, uint64_t *ret, Error **err);

/* "2026-11-21 17:06:14 +0000"; "-" for 0. */
const char *time_format(uint64_t realtime_usec, char buffer[static SIZE_STRING_MAX]);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Uuid: 16 bytes, written as libvirt writes them (lower case, 8-4-4-4-12).
 */

#include "base/macro.h"

#define UUID_STRING_MAX 37 /* with the NUL */

typedef struct Uuid {
        uint8_t bytes[16];
} Uuid;

/* Accepts what virUUIDParse of libvirt accepts: 32 hex digits, dashes between any two of them,
 * white space around. -EINVAL for anything else. */
int uuid_from_string(const char *s, Uuid *ret);

/* Writes into buffer and returns it. */
const char *uuid_to_string(const Uuid *u, char buffer[static UUID_STRING_MAX]);

/* A random (version 4) id from getrandom(2); never fails with 16 bytes once the pool is ready. */
Uuid uuid_random(void);

static inline bool uuid_equal(const Uuid *a, const Uuid *b) {
        return memcmp(a, b, sizeof(*a)) == 0;
}
static inline bool uuid_is_null(const Uuid *u) {
        return uuid_equal(u, &(const Uuid){ { 0 } });
}

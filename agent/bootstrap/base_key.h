#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * BaseKey: everything that decides what a base holds, and the SHA-256 of it, by which it is found
 * again. Two definitions that would install the same have the same key.
 */

#include "base/error.h"
#include "base/strv.h"

#define BASE_KEY_LENGTH 64 /* lower-case hex digits */

typedef struct BaseKey {
        char **facts; /* "NAME=value", in the order in which they were added */
} BaseKey;

/* One line; value NULL: not given, which is a fact as well. -EINVAL: a line break in it. */
int base_key_add(BaseKey *k, const char *name, const char *value);
int base_key_add_list(BaseKey *k, const char *name, char *const *values);
/* What is in text counts, the fact has its SHA-256. */
int base_key_add_content(BaseKey *k, const char *name, const char *text, size_t size);
/* The content of a file, at most max bytes; -ENOENT, … */
int base_key_add_file(BaseKey *k, const char *name, const char *path, size_t max);

void base_key_text(const BaseKey *k, char ret[static BASE_KEY_LENGTH + 1]);
bool base_key_is_valid(const char *s);

void base_key_done(BaseKey *k);
#define _cleanup_base_key_ _cleanup_(base_key_done)

/* SHA-256 of bytes, and of what can be read from fd on. *ret gets 64 hex digits. */
void sha256_text(const char *bytes, size_t size, char ret[static BASE_KEY_LENGTH + 1]);
int sha256_fd(int fd, bool (*canceled)(void *userdata), void *userdata,
              char ret[static BASE_KEY_LENGTH + 1]);

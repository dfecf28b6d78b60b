#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Names in a folder.
 */

#include <dirent.h>

#include "base/strv.h"

/* The entries of the folder that begin with prefix and end in suffix, sorted by name (strcmp). A
 * folder that is not there is empty. */
int dir_list(const char *path, const char *prefix, const char *suffix, char ***ret);

/* To read an open folder from its beginning; the caller closes *ret, and fd stays as it is. Errors of
 * openat(2). */
int dir_open(int fd, DIR **ret);

/* All that is in an open folder but "." and "..", sorted likewise. NULL: nothing is. */
int dir_list_fd(int fd, char ***ret);

/* True if s is in a vector that dir_list() made (binary search). */
bool dir_list_contains(char *const *names, size_t n, const char *s);

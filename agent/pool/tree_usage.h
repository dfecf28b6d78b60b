#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a tree takes on the disk, by walking it.
 */

#include "agent/pool/pool_backend.h"

/* Bytes; a file with several names counts once. */
int tree_usage(int dir_fd, const char *name, const TreeProgress *progress, uint64_t *ret);

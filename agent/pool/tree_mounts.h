#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Mounts in a tree, as /proc/self/mountinfo has them (proc(5)).
 */

#include "base/macro.h"

/* 1 if something is mounted on the tree or in it, and *ret_where (may be NULL) is the first place;
 * 0 if not. */
int tree_find_mount(int dir_fd, const char *name, char **ret_where);

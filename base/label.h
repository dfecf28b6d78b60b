#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SELinux labels of files that were written. A library of its own (ctvirt-label), so that only who
 * needs it loads libselinux; without libselinux it does nothing.
 */

#include "base/macro.h"

/* Gives a file or folder the label that the policy has for its path. 0 if it has it, or if the host
 * does not use SELinux. */
int label_restore(const char *path);

/* 1 if it has another label than the policy has for its path, with both (*ret_is, *ret_wanted are the
 * caller's to free()); 0 if not, or if the host does not use SELinux, or the policy says nothing. */
int label_check(const char *path, char **ret_is, char **ret_wanted);

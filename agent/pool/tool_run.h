#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/error.h"

/* Runs a program without a shell, with an empty standard input and a fixed environment, and waits
 * for it. -EIO with what it has said if it did not end well; -ENOENT if there is none, with the
 * package that has it. */
int pool_tool_run(const char *const argv[], const char *package, Error **err);

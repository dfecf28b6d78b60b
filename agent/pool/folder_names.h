#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/strv.h"

/* All that is in an open folder but "." and "..", sorted (strcmp). */
int folder_names(int fd, char ***ret);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/macro.h"

/* asprintf(3) that returns what it made; NULL when memory is short. */
char *text_format(const char *format, ...) _printf_(1, 2);

/* All strings up to NULL, one behind the other; much cheaper than a format. NULL when memory is
 * short. */
char *text_join(const char *first, ...) __attribute__((sentinel));

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/source.h"

/* What `skopeo inspect --config --format IMAGE_COMMAND_TEMPLATE` says: a line each, a letter and a
 * quoted string. -EBADMSG; -EILSEQ: a control character that no unit can carry, in *ret is nothing. */
extern const char image_command_template[];
int image_command_parse(const char *text, ImageCommand *ret);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Text of a hostile document in a message.
 */

#include "base/macro.h"

/* The number of bytes of the well-formed UTF-8 character at s (RFC 3629), 0 if there is none. */
size_t xml_utf8_length(const unsigned char *s, size_t size);

/* Text for a message: control characters and broken UTF-8 replaced, cut to the size, so that a
 * hostile document can neither drive a terminal nor flood a journal. */
const char *xml_show(const char *s, char *buffer, size_t size);
#define XML_SHOW(s) xml_show((const char *) (s), (char[100]){ 0 }, 100)
#define XML_SHOW_LONG(s) xml_show((const char *) (s), (char[300]){ 0 }, 300)

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loading a document that nobody vouches for. What is refused is refused before it can cost time or
 * memory: size, encoding and attributes an element are looked at before libxml2 sees a byte, a
 * DOCTYPE stops the parser at its name (so no entity is ever declared), depth and number of
 * elements are counted while it reads. Nothing is fetched from anywhere.
 */

#include "base/error.h"
#include "xml/xml_compat.h"

#define XML_DEPTH_MAX 64      /* nested elements */
#define XML_ATTRIBUTES_MAX 64 /* attributes of one element */

typedef struct XmlLimits {
        size_t size;     /* bytes */
        size_t elements; /* in the whole document */
} XmlLimits;

/* Errors, all with file and, where there is one, line:
 *   -EFBIG    beyond a limit
 *   -EBADMSG  not well-formed, also in the sense of namespaces, or not UTF-8
 *   -EINVAL   has a DOCTYPE
 *   -ENOMEM */
int xml_document_load(const char *xml, size_t size, const XmlLimits *limits, const char *file,
                      xmlDoc **ret, Error **err);

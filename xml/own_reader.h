#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reads attributes and text that are values of a kind. A value of another kind is -EINVAL, said at
 * the element that it stands in.
 */

#include "xml/own_values.h"
#include "xml/xml_reader.h"

/* An attribute that need not be there: *ret is NULL then. */
int own_reader_attribute(XmlReader *r, xmlNode *node, const char *name, const ValueKind *kind,
                         char **ret);

/* One that must be there. */
int own_reader_require(XmlReader *r, xmlNode *node, const char *name, const ValueKind *kind,
                       char **ret);

/* The same, as one more string of a vector. */
int own_reader_item(XmlReader *r, xmlNode *node, const char *name, const ValueKind *kind,
                    char ***v);

/* The text of an element, without the white space around it. */
int own_reader_text(XmlReader *r, xmlNode *node, const ValueKind *kind, char **ret);

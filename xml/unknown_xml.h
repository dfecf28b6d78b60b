#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UnknownXml: what stood in an element and means nothing to us.
 */

#include "xml/container_def.h"

void unknown_xml_done(UnknownXml *u);
int unknown_xml_copy(const UnknownXml *u, UnknownXml *ret);
bool unknown_xml_equal(const UnknownXml *a, const UnknownXml *b);
bool unknown_xml_is_empty(const UnknownXml *u);

/* Takes the content of child over and leaves it empty; on -ENOMEM nothing has changed. */
int unknown_xml_add_child(UnknownXml *u, const char *name, size_t index, UnknownXml *child);

/* NULL if there is nothing about that child. u may be NULL. */
const UnknownXml *unknown_xml_find_child(const UnknownXml *u, const char *name, size_t index);

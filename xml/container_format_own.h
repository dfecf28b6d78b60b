#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Writes the elements of CONTAINER_NAMESPACE. Their prefix is "ct", unless a document uses that for
 * something else.
 */

#include "xml/xml_writer.h"

typedef struct OwnPrefix {
        char prefix[24];
        char declaration[24 + sizeof("xmlns:=\"" CONTAINER_NAMESPACE "\"")];
} OwnPrefix;

void own_prefix_choose(const ContainerDef *def, OwnPrefix *ret);

/* The declaration, if anything needs it; where the start tag of <domain> is still open. */
void own_prefix_declare(XmlWriter *w, const ContainerDef *def, const OwnPrefix *own);

void own_elements_format(XmlWriter *w, const ContainerDef *def, const OwnPrefix *own);

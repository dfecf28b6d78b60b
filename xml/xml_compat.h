#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What libxml2 2.9 to 2.14 differ in, and the cleanup handlers of its types.
 */

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "xml/xml_show.h"

/* What a structured error callback gets; const since 2.12. */
#if LIBXML_VERSION >= 21200
typedef const xmlError *XmlErrorPtr;
#else
typedef xmlErrorPtr XmlErrorPtr;
#endif

DEFINE_CLEANUP(xmlDoc *, xmlFreeDoc)
DEFINE_CLEANUP(xmlNode *, xmlFreeNode)
DEFINE_CLEANUP(xmlBuffer *, xmlBufferFree)
DEFINE_CLEANUP(xmlChar *, xmlFree)
DEFINE_CLEANUP(xmlParserCtxt *, xmlFreeParserCtxt)
DEFINE_CLEANUP(xmlRelaxNG *, xmlRelaxNGFree)
DEFINE_CLEANUP(xmlRelaxNGParserCtxt *, xmlRelaxNGFreeParserCtxt)
DEFINE_CLEANUP(xmlRelaxNGValidCtxt *, xmlRelaxNGFreeValidCtxt)

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * XmlWriter: an indented document, two spaces a level, attributes in single quotes, as libvirt
 * writes it. Unknown content is written with the element that it was found in.
 */

#include "xml/container_def.h"

#define XML_WRITER_DEPTH 8

typedef struct XmlFrame {
        const char *prefix; /* NULL: none */
        const char *name;
        const UnknownXml *unknown; /* NULL: none */
        bool tag_open;             /* the '>' of the start tag is not written yet */
        bool is_text;              /* white space would become a part of what it holds */
} XmlFrame;

typedef struct XmlWriter {
        FILE *file;
        XmlFrame stack[XML_WRITER_DEPTH];
        size_t depth;
} XmlWriter;

/* Opens the n-th child of that name, with what its parent keeps of it. */
void xml_writer_open(XmlWriter *w, const char *name, size_t n);

/* The same for one of a namespace; what is kept of it goes by its name without the prefix. */
void xml_writer_open_prefixed(XmlWriter *w, const char *prefix, const char *name, size_t n);

/* Opens an element that has its unknown content elsewhere. */
void xml_writer_open_with(XmlWriter *w, const char *name, const UnknownXml *unknown);

/* Only directly after an open. Nothing is written for value NULL. */
void xml_writer_attribute(XmlWriter *w, const char *name, const char *value);
void xml_writer_attributef(XmlWriter *w, const char *name, const char *format, ...) _printf_(3, 4);

void xml_writer_text(XmlWriter *w, const char *text);
void xml_writer_close(XmlWriter *w);

/* A whole element with text; nothing for text NULL. */
void xml_writer_element(XmlWriter *w, const char *name, const char *text);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * XmlReader: walks a document along a grammar written as tables, and typed access to what stands in
 * it. No other file touches libxml2's property getters.
 *
 * Nobody lists the attributes of an element: those that its parse function asked for are known, the
 * others are kept as unknown content.
 */

#include "xml/container_def.h"
#include "xml/xml_compat.h"

#define XML_WARNINGS_MAX 100 /* a document cannot make more of them */

typedef struct XmlReader {
        const char *file;
        ParseFlags flags;
        char **warnings;
        size_t n_warnings;
        Error **err;
} XmlReader;

void xml_reader_done(XmlReader *r);

typedef struct XmlElement XmlElement;
struct XmlElement {
        const char *name;                                             /* NULL ends a table */
        int (*parse)(XmlReader *r, xmlNode *node, ContainerDef *def); /* attributes and text */
        int (*done)(XmlReader *r, xmlNode *node, ContainerDef *def);  /* after the children */
        const XmlElement *elements;                                   /* its children; NULL: none */
        UnknownXml *(*unknown)(ContainerDef *def); /* NULL: with the enclosing element's */
        bool own;                                  /* of CONTAINER_NAMESPACE */
        bool repeat;                               /* may stand there more than once */
        bool keep;                                 /* kept as it is, without a warning */
};

#define XML_GRAMMAR_MAX 20 /* elements of one table */

/* Reads node, which is known to be the element that e describes, and all below it into def. Unknown
 * content goes where e says, else into own. */
int xml_reader_walk(XmlReader *r, xmlNode *node, const XmlElement *e, ContainerDef *def,
                    UnknownXml *own);

unsigned xml_reader_line(const xmlNode *node);

/* True if node is an element of that name in no namespace. */
bool xml_reader_is(const xmlNode *node, const char *name);

/* The first child element of that name; NULL if there is none. */
xmlNode *xml_reader_child(const xmlNode *node, const char *name);

/* The value of an attribute; *ret is NULL if it is absent. Only memory can fail. */
int xml_reader_attribute(xmlNode *node, const char *name, char **ret);

/* As above, but an absent attribute is an error. */
int xml_reader_require_attribute(XmlReader *r, xmlNode *node, const char *name, char **ret);

/* An optional decimal attribute from min to max: 1 if it was there, 0 if not. */
int xml_reader_unsigned_attribute(XmlReader *r, xmlNode *node, const char *name, uint64_t min,
                                  uint64_t max, uint64_t *ret);

/* The text of an element, without that of its children; "" if it has none. Only memory can fail. */
int xml_reader_text(xmlNode *node, char **ret);

/* Decimal digits only, white space around them allowed: -EINVAL, -ERANGE. */
int xml_reader_parse_unsigned(const char *s, uint64_t *ret);

/* Errors at an element. All return -EINVAL; "expected" is the end of the sentence. */
#define xml_reader_error(r, node, ...)                                                             \
        error_set_at((r)->err, EINVAL, (r)->file, xml_reader_line(node), __VA_ARGS__)
int xml_reader_bad_attribute(XmlReader *r, const xmlNode *node, const char *name, const char *value,
                             const char *expected);
int xml_reader_bad_text(XmlReader *r, const xmlNode *node, const char *value, const char *expected);

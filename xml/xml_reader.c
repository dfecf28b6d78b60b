/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/xml_reader.h"

#include "xml/unknown_xml.h"

#define XML_WHITESPACE " \t\r\n"

/* libxml2 leaves the field _private of a node to its user: set when a parse function has read it.
 */
static char read_mark;

void xml_reader_done(XmlReader *r) {
        strv_free(r->warnings);
}

unsigned xml_reader_line(const xmlNode *node) {
        long line = xmlGetLineNo((xmlNode *) node);

        return line > 0 ? (unsigned) line : 0;
}

bool xml_reader_is(const xmlNode *node, const char *name) {
        return node->type == XML_ELEMENT_NODE && !node->ns &&
               streq((const char *) node->name, name);
}

xmlNode *xml_reader_child(const xmlNode *node, const char *name) {
        for (xmlNode *c = node->children; c; c = c->next)
                if (xml_reader_is(c, name))
                        return c;
        return NULL;
}

int xml_reader_bad_attribute(XmlReader *r, const xmlNode *node, const char *name, const char *value,
                             const char *expected) {
        return xml_reader_error(r, node,
                                "element '%s': attribute '%s' has invalid value '%s': expected %s",
                                (const char *) node->name, name, XML_SHOW(value), expected);
}

int xml_reader_bad_text(XmlReader *r, const xmlNode *node, const char *value,
                        const char *expected) {
        return xml_reader_error(r, node, "element '%s' has invalid value '%s': expected %s",
                                (const char *) node->name, XML_SHOW(value), expected);
}

/* The value as a string of malloc(); libxml2 says NULL for some kinds of empty. */
static int attribute_value(const xmlAttr *attribute, char **ret) {
        _cleanup_(xmlFreep) xmlChar *value =
                xmlNodeListGetString(attribute->doc, attribute->children, 1);

        *ret = strdup(value ? (const char *) value : "");
        return *ret ? 0 : -ENOMEM;
}

int xml_reader_attribute(xmlNode *node, const char *name, char **ret) {
        xmlAttr *attribute = xmlHasNsProp(node, (const xmlChar *) name, NULL);

        if (!attribute) {
                *ret = NULL;
                return 0;
        }
        attribute->_private = &read_mark;
        return attribute_value(attribute, ret);
}

int xml_reader_require_attribute(XmlReader *r, xmlNode *node, const char *name, char **ret) {
        int k;

        k = xml_reader_attribute(node, name, ret);
        if (k < 0)
                return k;
        if (!*ret)
                return xml_reader_error(r, node, "element '%s': attribute '%s' is missing",
                                        (const char *) node->name, name);
        return 0;
}

int xml_reader_parse_unsigned(const char *s, uint64_t *ret) {
        uint64_t value = 0;
        bool overflow = false;

        s += strspn(s, XML_WHITESPACE);
        if (*s < '0' || *s > '9')
                return -EINVAL;
        for (; *s >= '0' && *s <= '9'; s++)
                overflow = overflow || __builtin_mul_overflow(value, 10u, &value) ||
                           __builtin_add_overflow(value, (unsigned) (*s - '0'), &value);
        if (s[strspn(s, XML_WHITESPACE)] != '\0')
                return -EINVAL;
        if (overflow)
                return -ERANGE;

        *ret = value;
        return 0;
}

int xml_reader_unsigned_attribute(XmlReader *r, xmlNode *node, const char *name, uint64_t min,
                                  uint64_t max, uint64_t *ret) {
        _cleanup_free_ char *value = NULL;
        char expected[80];
        uint64_t number;
        int k;

        k = xml_reader_attribute(node, name, &value);
        if (k < 0 || !value)
                return k;

        if (xml_reader_parse_unsigned(value, &number) < 0 || number < min || number > max) {
                (void) snprintf(expected, sizeof(expected), "a number from %llu to %llu",
                                (unsigned long long) min, (unsigned long long) max);
                return xml_reader_bad_attribute(r, node, name, value, expected);
        }
        *ret = number;
        return 1;
}

static bool is_text(const xmlNode *node) {
        return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

int xml_reader_text(xmlNode *node, char **ret) {
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;

        for (xmlNode *c = node->children; c; c = c->next)
                if (is_text(c) && c->content)
                        (void) fputs((const char *) c->content, f);
        if (fclose(TAKE_PTR(f)) != 0)
                return -ENOMEM;

        node->_private = &read_mark;
        *ret = TAKE_PTR(text);
        return 0;
}

/* An error if the caller wants none of it, else a warning. */
static int complain(XmlReader *r, const xmlNode *node, const char *what, const char *consequence) {
        if (r->flags & PARSE_VALIDATE)
                return xml_reader_error(r, node, "%s", what);
        if (r->n_warnings > XML_WARNINGS_MAX)
                return 0;
        if (r->n_warnings++ == XML_WARNINGS_MAX)
                return strv_extendf(&r->warnings, "%s: there are more warnings of this kind",
                                    r->file);
        return strv_extendf(&r->warnings, "%s:%u: %s %s", r->file, xml_reader_line(node), what,
                            consequence);
}

static void write_escaped(FILE *f, const char *s) {
        for (; *s; s++)
                if (strchr("&<>\"\t\r\n", *s))
                        (void) fprintf(f, "&#%d;", *s);
                else
                        (void) fputc(*s, f);
}

/* name="value" with a prefix where there is one. */
static int format_pair(const char *prefix, const char *name, const char *value, char **ret) {
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        (void) fprintf(f, "%s%s%s=\"", prefix ? prefix : "", prefix ? ":" : "", name);
        write_escaped(f, value);
        (void) fputc('"', f);
        if (fclose(TAKE_PTR(f)) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}

static int add_pair(UnknownXml *unknown, const char *prefix, const char *name, const char *value) {
        _cleanup_free_ char *text = NULL;
        int k;

        k = format_pair(prefix, name, value, &text);
        if (k < 0)
                return k;
        return strv_contains(unknown->attributes, text)
                       ? 0
                       : strv_push(&unknown->attributes, TAKE_PTR(text));
}

/* The declaration of its namespace comes first; the prefix "xml" has none. */
static int keep_attribute(const xmlAttr *attribute, UnknownXml *unknown) {
        const char *prefix = attribute->ns ? (const char *) attribute->ns->prefix : NULL;
        _cleanup_free_ char *value = NULL;
        int k;

        k = attribute_value(attribute, &value);
        if (k < 0)
                return k;
        if (prefix && !streq(prefix, "xml")) {
                k = add_pair(unknown, "xmlns", prefix, (const char *) attribute->ns->href);
                if (k < 0)
                        return k;
        }
        return add_pair(unknown, prefix, (const char *) attribute->name, value);
}

/* Two strings: the prefix of an element or attribute as it was written, and the colon. */
#define PREFIX(n)                                                                                  \
        (n)->ns && (n)->ns->prefix ? XML_SHOW((n)->ns->prefix) : "",                               \
                (n)->ns && (n)->ns->prefix ? ":" : ""

static int keep_attributes(XmlReader *r, const xmlNode *node, UnknownXml *unknown) {
        for (const xmlAttr *a = node->properties; a; a = a->next) {
                _cleanup_free_ char *what = NULL;
                int k;

                if (a->_private)
                        continue;
                if (asprintf(&what, "unknown attribute '%s%s%s' of <%s>", PREFIX(a),
                             XML_SHOW(a->name), (const char *) node->name) < 0)
                        return -ENOMEM;
                k = complain(r, node, what, "is kept but has no effect");
                if (k < 0)
                        return k;
                k = keep_attribute(a, unknown);
                if (k < 0)
                        return k;
        }
        return 0;
}

/* In a document of its own, so that the namespaces it uses are declared in it. */
static int keep_element(xmlNode *node, UnknownXml *unknown) {
        _cleanup_(xmlBufferFreep) xmlBuffer *buffer = xmlBufferCreate();
        _cleanup_(xmlFreeDocp) xmlDoc *doc = xmlNewDoc((const xmlChar *) "1.0");
        xmlNode *copy;

        if (!buffer || !doc)
                return -ENOMEM;
        doc->encoding = xmlStrdup((const xmlChar *) "UTF-8");
        copy = xmlDocCopyNode(node, doc, 1);
        if (!doc->encoding || !copy)
                return -ENOMEM;

        (void) xmlDocSetRootElement(doc, copy);
        if (xmlNodeDump(buffer, doc, copy, 0, 0) < 0)
                return -ENOMEM;
        return strv_extend(&unknown->elements, (const char *) xmlBufferContent(buffer));
}

static bool describes(const XmlElement *e, const xmlNode *node) {
        if (!e->own)
                return xml_reader_is(node, e->name);
        return node->ns && node->ns->href &&
               streq((const char *) node->ns->href, CONTAINER_NAMESPACE) &&
               streq((const char *) node->name, e->name);
}

static const XmlElement *find(const XmlElement *table, const xmlNode *node) {
        for (const XmlElement *e = table; e && e->name; e++)
                if (describes(e, node))
                        return e;
        return NULL;
}

/* One of ours that was written without the prefix, which an example may have lost. */
static bool lacks_prefix(const XmlElement *table, const xmlNode *node) {
        if (node->ns)
                return false;
        for (const XmlElement *e = table; e && e->name; e++)
                if (e->own && streq((const char *) node->name, e->name))
                        return true;
        return false;
}

static int keep_unknown_element(XmlReader *r, xmlNode *node, const XmlElement *table,
                                UnknownXml *unknown) {
        _cleanup_free_ char *what = NULL, *advice = NULL;
        int k;

        if (lacks_prefix(table, node) &&
            asprintf(&advice, " (write <ct:%s>, with xmlns:ct='" CONTAINER_NAMESPACE "')",
                     (const char *) node->name) < 0)
                return -ENOMEM;
        if (asprintf(&what, "unknown element <%s%s%s> in <%s>%s", PREFIX(node),
                     XML_SHOW(node->name), (const char *) node->parent->name,
                     advice ? advice : "") < 0)
                return -ENOMEM;
        k = complain(r, node, what, "is kept but has no effect");
        return k < 0 ? k : keep_element(node, unknown);
}

/* The n-th child that e describes; what it does not know itself is kept in unknown. */
static int walk_child(XmlReader *r, xmlNode *node, const XmlElement *e, size_t n, ContainerDef *def,
                      UnknownXml *unknown) {
        _cleanup_(unknown_xml_done) UnknownXml own = { 0 };
        int k;

        if (n > 0 && !e->repeat)
                return xml_reader_error(r, node, "duplicate element <%s> in <%s>", e->name,
                                        (const char *) node->parent->name);
        if (e->keep)
                return keep_element(node, unknown);

        k = xml_reader_walk(r, node, e, def, &own);
        if (k < 0)
                return k;
        return unknown_xml_is_empty(&own) ? 0 : unknown_xml_add_child(unknown, e->name, n, &own);
}

static int walk_children(XmlReader *r, xmlNode *node, const XmlElement *table, ContainerDef *def,
                         UnknownXml *unknown) {
        size_t seen[XML_GRAMMAR_MAX] = { 0 };
        int k;

        for (xmlNode *c = node->children; c; c = c->next) {
                const XmlElement *e;

                if (c->type != XML_ELEMENT_NODE)
                        continue;
                e = find(table, c);
                assert(!e || e - table < XML_GRAMMAR_MAX);
                k = e ? walk_child(r, c, e, seen[e - table]++, def, unknown)
                      : keep_unknown_element(r, c, table, unknown);
                if (k < 0)
                        return k;
        }
        return 0;
}

/* Text where none belongs: not worth an error to somebody who did not ask for one. */
static int check_stray_text(XmlReader *r, xmlNode *node) {
        _cleanup_free_ char *what = NULL;

        if (node->_private)
                return 0;
        for (xmlNode *c = node->children; c; c = c->next) {
                if (!is_text(c) || xmlIsBlankNode(c))
                        continue;
                if (asprintf(&what, "text in <%s>", (const char *) node->name) < 0)
                        return -ENOMEM;
                return complain(r, node, what, "is ignored");
        }
        return 0;
}

int xml_reader_walk(XmlReader *r, xmlNode *node, const XmlElement *e, ContainerDef *def,
                    UnknownXml *own) {
        UnknownXml *unknown;
        int k;

        k = e->parse ? e->parse(r, node, def) : 0;
        if (k < 0)
                return k;

        unknown = e->unknown ? e->unknown(def) : own;
        k = keep_attributes(r, node, unknown);
        if (k < 0)
                return k;
        k = check_stray_text(r, node);
        if (k < 0)
                return k;
        k = walk_children(r, node, e->elements, def, unknown);
        if (k < 0)
                return k;
        return e->done ? e->done(r, node, def) : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/xml_document.h"

#include <libxml/SAX2.h>
#include <strings.h>

#define UTF8_BOM "\xef\xbb\xbf"

/* What the parser's callbacks know: where they are, and the first thing that went wrong. */
typedef struct LoadState {
        const char *file;
        const XmlLimits *limits;
        size_t depth;
        size_t elements;
        int r;
        Error *error;
} LoadState;

static void load_state_done(LoadState *s) {
        error_free(s->error);
}

static int check_text(const char *xml, size_t size, const char *file, Error **err) {
        unsigned line = 1;

        for (size_t i = 0, n; i < size; i += n) {
                n = xml_utf8_length((const unsigned char *) xml + i, size - i);
                if (xml[i] == '\0')
                        return error_set_at(err, EBADMSG, file, line, "NUL byte in the document");
                if (n == 0)
                        return error_set_at(err, EBADMSG, file, line, "invalid UTF-8");
                if (xml[i] == '\n')
                        line++;
        }
        return 0;
}

/* libxml2 is told to take any document for UTF-8, so one that says something else of itself must
 * not get that far. */
static int check_encoding(const char *xml, size_t size, const char *file, Error **err) {
        const char *end, *p;
        char name[32];

        if (size < 6 || memcmp(xml, "<?xml", 5) != 0 || !strchr(" \t\r\n", xml[5]))
                return 0;
        end = memmem(xml, size, "?>", 2);
        p = end ? memmem(xml, (size_t) (end - xml), "encoding", 8) : NULL;
        if (!p)
                return 0;

        p += strlen("encoding");
        while (p < end && strchr(" \t\r\n=\"'", *p))
                p++;
        (void) snprintf(name, sizeof(name), "%.*s", (int) strcspn(p, " \t\r\n\"'?"), p);
        if (strcasecmp(name, "UTF-8") == 0 || strcasecmp(name, "US-ASCII") == 0)
                return 0;
        return error_set_at(err, EBADMSG, file, 1,
                            "encoding '%s' is not supported: save the document as UTF-8",
                            XML_SHOW(name));
}

/* libxml2 compares each attribute of an element with each other one. A value cannot contain '<', so
 * every '<' is a place to start counting from, whatever stands before it. */
static int check_attributes(const char *xml, size_t size, const char *file, Error **err) {
        size_t attributes = 0;
        bool in_tag = false;
        unsigned line = 1;
        char quote = '\0';

        for (size_t i = 0; i < size; i++) {
                char c = xml[i];

                if (c == '\n')
                        line++;
                if (c == '<') {
                        in_tag = true;
                        quote = '\0';
                        attributes = 0;
                } else if (quote != '\0') {
                        quote = c == quote ? '\0' : quote;
                } else if (c == '>') {
                        in_tag = false;
                } else if (in_tag && (c == '"' || c == '\'')) {
                        quote = c;
                        if (++attributes > XML_ATTRIBUTES_MAX)
                                return error_set_at(err, EFBIG, file, line,
                                                    "more than %d attributes in one element",
                                                    XML_ATTRIBUTES_MAX);
                }
        }
        return 0;
}

static LoadState *state_of(xmlParserCtxt *context) {
        return context->_private;
}

static unsigned line_of(const xmlParserCtxt *context) {
        return context->input && context->input->line > 0 ? (unsigned) context->input->line : 0;
}

static void stop(xmlParserCtxt *context, int code, const char *text) {
        LoadState *s = state_of(context);

        if (s->r >= 0)
                s->r = error_set_at(&s->error, code, s->file, line_of(context), "%s", text);
        xmlStopParser(context);
}

/* Called with the name of the DOCTYPE, before its declarations are read. */
static void on_doctype(void *userdata, const xmlChar *name, const xmlChar *external_id,
                       const xmlChar *system_id) {
        stop(userdata, EINVAL, "a DOCTYPE is not allowed");
}

/* NOLINTNEXTLINE(readability-function-size): the signature is libxml2's */
static void on_element_start(void *userdata, const xmlChar *name, const xmlChar *prefix,
                             const xmlChar *uri, int n_namespaces, const xmlChar **namespaces,
                             int n_attributes, int n_defaulted, const xmlChar **attributes) {
        LoadState *s = state_of(userdata);

        if (++s->depth > XML_DEPTH_MAX)
                stop(userdata, EFBIG, "elements are nested too deeply");
        else if (++s->elements > s->limits->elements)
                stop(userdata, EFBIG, "too many elements");
        else
                xmlSAX2StartElementNs(userdata, name, prefix, uri, n_namespaces, namespaces,
                                      n_attributes, n_defaulted, attributes);
}

static void on_element_end(void *userdata, const xmlChar *name, const xmlChar *prefix,
                           const xmlChar *uri) {
        LoadState *s = state_of(userdata);

        s->depth--;
        xmlSAX2EndElementNs(userdata, name, prefix, uri);
}

static void on_error(void *userdata, XmlErrorPtr error) {
        _cleanup_free_ char *text = NULL;
        LoadState *s = state_of(userdata);

        if (error->level < XML_ERR_ERROR || s->r < 0)
                return;
        if (error->code == XML_ERR_NO_MEMORY) {
                s->r = -ENOMEM;
                return;
        }

        text = strdup(error->message ? error->message : "not well-formed");
        if (text)
                text[strcspn(text, "\n")] = '\0';
        s->r = error_set_at(&s->error, EBADMSG, s->file,
                            error->line > 0 ? (unsigned) error->line : 0, "%s",
                            text ? XML_SHOW_LONG(text) : "not well-formed");
}

static xmlParserCtxt *new_context(LoadState *state) {
        xmlParserCtxt *context;

        xmlInitParser();
        context = xmlNewParserCtxt();
        if (!context)
                return NULL;

        context->_private = state;
        context->sax->internalSubset = on_doctype;
        context->sax->startElementNs = on_element_start;
        context->sax->endElementNs = on_element_end;
        context->sax->serror = on_error;
        return context;
}

static int check_bytes(const char *xml, size_t size, const XmlLimits *limits, const char *file,
                       Error **err) {
        int r;

        if (size > limits->size)
                return error_set_at(err, EFBIG, file, 0,
                                    "document of %zu bytes is larger than the limit of %zu", size,
                                    limits->size);
        r = check_text(xml, size, file, err);
        if (r < 0)
                return r;
        r = check_encoding(xml, size, file, err);
        if (r < 0)
                return r;
        return check_attributes(xml, size, file, err);
}

/* Hands the first cause over. A parser that failed without giving a reason gets one. */
static int failed(LoadState *s, const char *file, Error **err) {
        if (s->r == -ENOMEM)
                return -ENOMEM;
        if (s->r >= 0)
                return error_set_at(err, EBADMSG, file, 0, "not well-formed");
        if (err && !*err)
                *err = TAKE_PTR(s->error);
        return s->r;
}

int xml_document_load(const char *xml, size_t size, const XmlLimits *limits, const char *file,
                      xmlDoc **ret, Error **err) {
        _cleanup_(load_state_done) LoadState state = { .file = file, .limits = limits };
        _cleanup_(xmlFreeParserCtxtp) xmlParserCtxt *context = NULL;
        _cleanup_(xmlFreeDocp) xmlDoc *doc = NULL;
        int r;

        if (xml && size >= strlen(UTF8_BOM) && memcmp(xml, UTF8_BOM, strlen(UTF8_BOM)) == 0) {
                xml += strlen(UTF8_BOM);
                size -= strlen(UTF8_BOM);
        }
        if (!xml || size == 0)
                return error_set_at(err, EBADMSG, file, 0, "the document is empty");
        r = check_bytes(xml, size, limits, file, err);
        if (r < 0)
                return r;
        context = new_context(&state);
        if (!context)
                return -ENOMEM;

        doc = xmlCtxtReadMemory(context, xml, (int) size, NULL, "UTF-8",
                                XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_BIG_LINES);
        if (!doc || state.r < 0 || !context->wellFormed || !context->nsWellFormed)
                return failed(&state, file, err);

        *ret = TAKE_PTR(doc);
        return 0;
}

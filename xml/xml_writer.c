/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/xml_writer.h"

#include <stdarg.h>

#include "xml/unknown_xml.h"

static const char *escape_of(char c, bool in_attribute) {
        switch (c) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '\r':
                return "&#13;";
        case '\n':
                return in_attribute ? "&#10;" : NULL;
        case '\t':
                return in_attribute ? "&#9;" : NULL;
        case '\'':
                return in_attribute ? "&apos;" : NULL;
        }
        return NULL;
}

static void write_escaped(FILE *f, const char *s, bool in_attribute) {
        for (; *s; s++) {
                const char *escape = escape_of(*s, in_attribute);

                if (escape)
                        (void) fputs(escape, f);
                else
                        (void) fputc(*s, f);
        }
}

static XmlFrame *top(XmlWriter *w) {
        return w->depth > 0 ? &w->stack[w->depth - 1] : NULL;
}

static void indent(XmlWriter *w, size_t depth) {
        (void) fprintf(w->file, "%*s", (int) depth * 2, "");
}

static void finish_tag(XmlWriter *w, const char *end) {
        XmlFrame *frame = top(w);

        if (!frame || !frame->tag_open)
                return;
        if (frame->unknown)
                STRV_FOREACH(a, frame->unknown->attributes)
                        (void) fprintf(w->file, " %s", *a);
        (void) fputs(end, w->file);
        frame->tag_open = false;
}

static void write_name(XmlWriter *w, const XmlFrame *frame) {
        (void) fprintf(w->file, "%s%s%s", frame->prefix ? frame->prefix : "",
                       frame->prefix ? ":" : "", frame->name);
}

static void open_frame(XmlWriter *w, const XmlFrame *frame) {
        assert(w->depth < XML_WRITER_DEPTH);

        finish_tag(w, ">\n");
        indent(w, w->depth);
        (void) fputc('<', w->file);
        write_name(w, frame);
        w->stack[w->depth++] = *frame;
}

void xml_writer_open_with(XmlWriter *w, const char *name, const UnknownXml *unknown) {
        open_frame(w, &(const XmlFrame){ .name = name, .unknown = unknown, .tag_open = true });
}

void xml_writer_open_prefixed(XmlWriter *w, const char *prefix, const char *name, size_t n) {
        const XmlFrame *parent = top(w);
        const UnknownXml *unknown =
                unknown_xml_find_child(parent ? parent->unknown : NULL, name, n);

        open_frame(w,
                   &(const XmlFrame){
                           .prefix = prefix, .name = name, .unknown = unknown, .tag_open = true });
}

void xml_writer_open(XmlWriter *w, const char *name, size_t n) {
        xml_writer_open_prefixed(w, NULL, name, n);
}

void xml_writer_attribute(XmlWriter *w, const char *name, const char *value) {
        assert(w->depth > 0 && top(w)->tag_open);

        if (!value)
                return;
        (void) fprintf(w->file, " %s='", name);
        write_escaped(w->file, value, true);
        (void) fputc('\'', w->file);
}

void xml_writer_attributef(XmlWriter *w, const char *name, const char *format, ...) {
        char value[64];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(value, sizeof(value), format, ap);
        va_end(ap);
        xml_writer_attribute(w, name, value);
}

void xml_writer_text(XmlWriter *w, const char *text) {
        top(w)->is_text = true;
        if (!*text)
                return;
        finish_tag(w, ">");
        write_escaped(w->file, text, false);
}

static void write_unknown_elements(XmlWriter *w, const XmlFrame *frame) {
        if (!frame->unknown || strv_length(frame->unknown->elements) == 0)
                return;

        finish_tag(w, frame->is_text ? ">" : ">\n");
        STRV_FOREACH(e, frame->unknown->elements) {
                if (!frame->is_text)
                        indent(w, w->depth);
                (void) fprintf(w->file, "%s%s", *e, frame->is_text ? "" : "\n");
        }
}

void xml_writer_close(XmlWriter *w) {
        const XmlFrame *frame = top(w);

        assert(frame);

        write_unknown_elements(w, frame);
        if (frame->tag_open) {
                finish_tag(w, "/>\n");
        } else {
                if (!frame->is_text)
                        indent(w, w->depth - 1);
                (void) fputs("</", w->file);
                write_name(w, frame);
                (void) fputs(">\n", w->file);
        }
        w->depth--;
}

void xml_writer_element(XmlWriter *w, const char *name, const char *text) {
        if (!text)
                return;
        xml_writer_open(w, name, 0);
        xml_writer_text(w, text);
        xml_writer_close(w);
}

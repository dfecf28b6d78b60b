/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/own_reader.h"

#include "xml/container_values.h"

#define XML_WHITESPACE " \t\r\n"

/* A path in the one form that a definition has it in; what cannot be brought into it is left for
 * the kind to refuse. */
static int normalise(const ValueKind *kind, char **value) {
        char *clean;
        int k;

        if (kind != &value_path)
                return 0;
        k = clean_path(*value, &clean);
        if (k < 0)
                return k == -EINVAL ? 0 : k;
        free(*value);
        *value = clean;
        return 0;
}

/* name NULL: the text of the element. */
static int judge(XmlReader *r, const xmlNode *node, const char *name, const ValueKind *kind,
                 char **value) {
        int k;

        k = normalise(kind, value);
        if (k < 0 || kind->is_valid(*value))
                return k;
        if (kind->secret)
                return xml_reader_error(r, node, "element '%s': invalid %s: expected %s",
                                        (const char *) node->name, kind->what, kind->expected);
        return name ? xml_reader_bad_attribute(r, node, name, *value, kind->expected)
                    : xml_reader_bad_text(r, node, *value, kind->expected);
}

int own_reader_attribute(XmlReader *r, xmlNode *node, const char *name, const ValueKind *kind,
                         char **ret) {
        int k;

        k = xml_reader_attribute(node, name, ret);
        return k < 0 || !*ret ? k : judge(r, node, name, kind, ret);
}

int own_reader_require(XmlReader *r, xmlNode *node, const char *name, const ValueKind *kind,
                       char **ret) {
        int k;

        k = xml_reader_require_attribute(r, node, name, ret);
        return k < 0 ? k : judge(r, node, name, kind, ret);
}

int own_reader_item(XmlReader *r, xmlNode *node, const char *name, const ValueKind *kind,
                    char ***v) {
        _cleanup_free_ char *value = NULL;
        int k;

        k = own_reader_require(r, node, name, kind, &value);
        return k < 0 ? k : strv_push(v, TAKE_PTR(value));
}

/* Keys are pasted on a line of their own. */
static void strip(char *s) {
        size_t skip = strspn(s, XML_WHITESPACE), length = strlen(s + skip);

        memmove(s, s + skip, length + 1);
        while (length > 0 && strchr(XML_WHITESPACE, s[length - 1]))
                s[--length] = '\0';
}

int own_reader_text(XmlReader *r, xmlNode *node, const ValueKind *kind, char **ret) {
        int k;

        k = xml_reader_text(node, ret);
        if (k < 0)
                return k;
        strip(*ret);
        return judge(r, node, NULL, kind, ret);
}

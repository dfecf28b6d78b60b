/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/unknown_xml.h"

void unknown_xml_done(UnknownXml *u) {
        strv_free(u->elements);
        strv_free(u->attributes);
        for (size_t i = 0; i < u->n_children; i++) {
                free(u->children[i].name);
                unknown_xml_done(&u->children[i].unknown);
        }
        free(u->children);
        *u = (UnknownXml){ 0 };
}

bool unknown_xml_is_empty(const UnknownXml *u) {
        return strv_length(u->elements) == 0 && strv_length(u->attributes) == 0 &&
               u->n_children == 0;
}

int unknown_xml_add_child(UnknownXml *u, const char *name, size_t index, UnknownXml *child) {
        UnknownChild *grown;
        char *copy;

        grown = reallocarray(u->children, u->n_children + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        u->children = grown;

        copy = strdup(name);
        if (!copy)
                return -ENOMEM;

        u->children[u->n_children++] =
                (UnknownChild){ .name = copy, .index = index, .unknown = *child };
        *child = (UnknownXml){ 0 };
        return 0;
}

int unknown_xml_copy(const UnknownXml *u, UnknownXml *ret) {
        _cleanup_(unknown_xml_done) UnknownXml copy = { 0 };

        if (strv_copy(u->elements, &copy.elements) < 0 ||
            strv_copy(u->attributes, &copy.attributes) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < u->n_children; i++) {
                _cleanup_(unknown_xml_done) UnknownXml child = { 0 };
                const UnknownChild *c = &u->children[i];

                if (unknown_xml_copy(&c->unknown, &child) < 0 ||
                    unknown_xml_add_child(&copy, c->name, c->index, &child) < 0)
                        return -ENOMEM;
        }

        *ret = copy;
        copy = (UnknownXml){ 0 };
        return 0;
}

bool unknown_xml_equal(const UnknownXml *a, const UnknownXml *b) {
        if (!strv_equal(a->elements, b->elements) || !strv_equal(a->attributes, b->attributes) ||
            a->n_children != b->n_children)
                return false;

        for (size_t i = 0; i < a->n_children; i++) {
                const UnknownChild *x = &a->children[i];
                const UnknownXml *y = unknown_xml_find_child(b, x->name, x->index);

                if (!y || !unknown_xml_equal(&x->unknown, y))
                        return false;
        }
        return true;
}

const UnknownXml *unknown_xml_find_child(const UnknownXml *u, const char *name, size_t index) {
        for (size_t i = 0; u && i < u->n_children; i++)
                if (u->children[i].index == index && streq(u->children[i].name, name))
                        return &u->children[i].unknown;
        return NULL;
}

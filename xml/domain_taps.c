/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/domain_taps.h"

#include "base/name.h"
#include "xml/xml_document.h"
#include "xml/xml_reader.h"

#define FILE_NAME "domain"

static const XmlLimits domain_limits = { .size = DOMAIN_XML_MAX, .elements = 200000 };

static void tap_done(DomainTap *t) {
        free(t->link);
        free(t->bridge);
        *t = (DomainTap){ 0 };
}

static int add(DomainTaps *taps, DomainTap *t) {
        DomainTap *items = reallocarray(taps->items, taps->n_items + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        taps->items = items;
        items[taps->n_items++] = *t;
        *t = (DomainTap){ 0 };
        return 0;
}

static int child_attribute(const xmlNode *interface, const char *child, const char *name,
                           char **ret) {
        xmlNode *node = xml_reader_child(interface, child);

        return node ? xml_reader_attribute(node, name, ret) : 0;
}

/* An Open vSwitch is no bridge of the kernel's, whatever its interfaces call it. */
static bool is_bridged(xmlNode *interface, const char *type) {
        return type && (streq(type, "network") || streq(type, "bridge")) &&
               !xml_reader_child(interface, "virtualport");
}

static int parse_interface(DomainTaps *taps, xmlNode *interface) {
        _cleanup_(tap_done) DomainTap t = { 0 };
        _cleanup_free_ char *type = NULL;
        int r;

        r = xml_reader_attribute(interface, "type", &type);
        if (r < 0 || !is_bridged(interface, type))
                return r;
        r = child_attribute(interface, "source", "bridge", &t.bridge);
        if (r >= 0)
                r = child_attribute(interface, "target", "dev", &t.link);
        if (r < 0 || !t.link || !t.bridge)
                return r;
        if (!link_name_is_valid(t.link) || !link_name_is_valid(t.bridge))
                return 0;
        return add(taps, &t);
}

int domain_taps_parse(DomainTaps *taps, const char *xml, size_t size, Error **err) {
        _cleanup_(xmlFreeDocp) xmlDoc *doc = NULL;
        const xmlNode *root, *devices;
        size_t n = 0;
        int r;

        r = xml_document_load(xml, size, &domain_limits, FILE_NAME, &doc, err);
        if (r < 0)
                return r;
        root = xmlDocGetRootElement(doc);
        if (!xml_reader_is(root, "domain"))
                return error_set(err, EINVAL, "unexpected root element, expecting <domain>");

        devices = xml_reader_child(root, "devices");
        for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
                if (!xml_reader_is(node, "interface"))
                        continue;
                if (n++ == DOMAIN_TAPS_MAX)
                        return 0;
                r = parse_interface(taps, node);
                if (r < 0)
                        return r;
        }
        return 0;
}

void domain_taps_done(DomainTaps *taps) {
        for (size_t i = 0; i < taps->n_items; i++)
                tap_done(taps->items + i);
        free(taps->items);
        *taps = (DomainTaps){ 0 };
}

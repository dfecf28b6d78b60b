/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/network_def.h"

#include "base/name.h"
#include "xml/xml_document.h"
#include "xml/xml_reader.h"

static const XmlLimits network_limits = { .size = NETWORK_XML_MAX, .elements = 200000 };

bool network_def_owns_bridge(const NetworkDef *def) {
        static const char *const modes[] = { "nat", "route", "open" };

        if (!def->bridge)
                return false;
        if (!def->forward_mode)
                return true;
        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (streq(def->forward_mode, modes[i]))
                        return true;
        return false;
}

NetworkDef *network_def_free(NetworkDef *def) {
        if (!def)
                return NULL;

        free(def->name);
        free(def->bridge);
        free(def->forward_mode);
        free(def);
        return NULL;
}

static int parse_name(XmlReader *r, const xmlNode *network, NetworkDef *def) {
        xmlNode *node = xml_reader_child(network, "name");
        int k;

        if (!node)
                return xml_reader_error(r, network, "missing element <name> in <network>");
        k = xml_reader_text(node, &def->name);
        if (k < 0)
                return k;
        if (!network_name_is_valid(def->name))
                return xml_reader_bad_text(r, node, def->name, "the name of a network");
        return 0;
}

static int parse_uuid(XmlReader *r, const xmlNode *network, NetworkDef *def) {
        xmlNode *node = xml_reader_child(network, "uuid");
        _cleanup_free_ char *text = NULL;
        int k;

        if (!node)
                return 0;
        k = xml_reader_text(node, &text);
        if (k < 0)
                return k;
        if (uuid_from_string(text, &def->uuid) < 0)
                return xml_reader_bad_text(r, node, text, "32 hex digits, with or without dashes");
        def->has_uuid = true;
        return 0;
}

static int parse_bridge(XmlReader *r, const xmlNode *network, NetworkDef *def) {
        xmlNode *node = xml_reader_child(network, "bridge");
        int k;

        if (!node)
                return 0;
        k = xml_reader_attribute(node, "name", &def->bridge);
        if (k < 0 || !def->bridge)
                return k;
        if (!link_name_is_valid(def->bridge))
                return xml_reader_bad_attribute(r, node, "name", def->bridge, "the name of a link");
        return 0;
}

/* <forward/> without a mode is nat, as in libvirt. */
static int parse_forward(const xmlNode *network, NetworkDef *def) {
        xmlNode *node = xml_reader_child(network, "forward");
        int k;

        if (!node)
                return 0;
        k = xml_reader_attribute(node, "mode", &def->forward_mode);
        if (k < 0 || def->forward_mode)
                return k;
        def->forward_mode = strdup("nat");
        return def->forward_mode ? 0 : -ENOMEM;
}

static int find_network(XmlReader *r, xmlDoc *doc, const xmlNode **ret) {
        const xmlNode *root = xmlDocGetRootElement(doc);

        if (xml_reader_is(root, "network")) {
                *ret = root;
                return 0;
        }
        if (!xml_reader_is(root, "hookData") && !xml_reader_is(root, "networkstatus"))
                return xml_reader_error(r, root,
                                        "unexpected root element <%s>, expecting <network>",
                                        XML_SHOW(root->name));

        *ret = xml_reader_child(root, "network");
        if (!*ret)
                return xml_reader_error(r, root, "missing element <network> in <%s>",
                                        (const char *) root->name);
        return 0;
}

static int parse_document(XmlReader *r, xmlDoc *doc, NetworkDef *def) {
        const xmlNode *network = NULL;
        int k;

        k = find_network(r, doc, &network);
        if (k < 0)
                return k;
        k = parse_name(r, network, def);
        if (k < 0)
                return k;
        k = parse_uuid(r, network, def);
        if (k < 0)
                return k;
        k = parse_bridge(r, network, def);
        return k < 0 ? k : parse_forward(network, def);
}

int network_def_parse(const char *xml, size_t size, const char *file_name, NetworkDef **ret,
                      Error **err) {
        XmlReader r = { .file = file_name, .err = err };
        _cleanup_(network_def_freep) NetworkDef *def = NULL;
        _cleanup_(xmlFreeDocp) xmlDoc *doc = NULL;
        int k;

        assert(xml || size == 0);
        assert(ret);

        k = xml_document_load(xml, size, &network_limits, file_name, &doc, err);
        if (k < 0)
                return k;
        def = calloc(1, sizeof(*def));
        if (!def)
                return -ENOMEM;
        k = parse_document(&r, doc, def);
        if (k < 0)
                return k;

        *ret = TAKE_PTR(def);
        return 0;
}

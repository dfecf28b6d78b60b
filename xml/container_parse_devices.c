/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What stands in <devices>. A device is appended to the definition when its start tag is read; its
 * children fill in the last one.
 */

#include "base/name.h"
#include "xml/container_grammar.h"
#include "xml/container_values.h"

static FilesystemDef *last_filesystem(ContainerDef *def) {
        return &def->filesystems[def->n_filesystems - 1];
}

static UnknownXml *unknown_of_filesystem(ContainerDef *def) {
        return &last_filesystem(def)->unknown;
}

static UnknownXml *unknown_of_interface(ContainerDef *def) {
        return &container_last_interface(def)->unknown;
}

/* An optional attribute that can have one value only. */
static int parse_only_value(XmlReader *r, xmlNode *node, const char *name, const char *only) {
        _cleanup_free_ char *value = NULL;
        char expected[64];
        int k;

        k = xml_reader_attribute(node, name, &value);
        if (k < 0)
                return k;
        if (!value || streq(value, only))
                return 0;
        (void) snprintf(expected, sizeof(expected), "'%s', the only supported one", only);
        return xml_reader_bad_attribute(r, node, name, value, expected);
}

static int parse_filesystem(XmlReader *r, xmlNode *node, ContainerDef *def) {
        FilesystemDef *grown;

        grown = reallocarray(def->filesystems, def->n_filesystems + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        def->filesystems = grown;
        grown[def->n_filesystems++] = (FilesystemDef){ .line = xml_reader_line(node) };
        return parse_only_value(r, node, "type", "mount");
}

static int parse_directory(XmlReader *r, xmlNode *node, char **ret) {
        _cleanup_free_ char *value = NULL;
        int k;

        k = xml_reader_require_attribute(r, node, "dir", &value);
        if (k < 0)
                return k;
        k = clean_path(value, ret);
        return k == -EINVAL
                       ? xml_reader_bad_attribute(r, node, "dir", value, CONTAINER_PATH_EXPECTED)
                       : k;
}

static int parse_filesystem_source(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return parse_directory(r, node, &last_filesystem(def)->source);
}

static int parse_filesystem_target(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return parse_directory(r, node, &last_filesystem(def)->target);
}

static int parse_readonly(XmlReader *r, xmlNode *node, ContainerDef *def) {
        last_filesystem(def)->readonly = true;
        return 0;
}

static int parse_interface(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *type = NULL;
        InterfaceDef *grown;
        int k;

        grown = reallocarray(def->interfaces, def->n_interfaces + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        def->interfaces = grown;
        grown[def->n_interfaces++] = (InterfaceDef){ .line = xml_reader_line(node) };

        k = xml_reader_require_attribute(r, node, "type", &type);
        if (k < 0)
                return k;
        k = interface_type_from_string(type);
        if (k < 0)
                return xml_reader_bad_attribute(r, node, "type", type,
                                                "'network', 'bridge' or 'direct'");
        container_last_interface(def)->type = (InterfaceType) k;
        return 0;
}

/* What the source of an interface is called, and what it has to look like. */
typedef struct SourceRule {
        const char *attribute;
        bool (*is_valid)(const char *s);
        const char *expected;
} SourceRule;

static const SourceRule source_rules[] = {
        [INTERFACE_TYPE_NETWORK] = { "network", network_name_is_valid, "the name of a network" },
        [INTERFACE_TYPE_BRIDGE] = { "bridge", link_name_is_valid, "the name of a link" },
        [INTERFACE_TYPE_DIRECT] = { "dev", link_name_is_valid, "the name of a link" },
};
static_assert(ELEMENTSOF(source_rules) == INTERFACE_TYPE_DIRECT + 1, "one rule a type");

static int parse_interface_source(XmlReader *r, xmlNode *node, ContainerDef *def) {
        InterfaceDef *interface = container_last_interface(def);
        const SourceRule *rule = &source_rules[interface->type];
        int k;

        k = xml_reader_require_attribute(r, node, rule->attribute, &interface->source);
        if (k < 0)
                return k;
        if (!rule->is_valid(interface->source))
                return xml_reader_bad_attribute(r, node, rule->attribute, interface->source,
                                                rule->expected);
        return interface->type == INTERFACE_TYPE_DIRECT
                       ? parse_only_value(r, node, "mode", "bridge")
                       : 0;
}

/* Something that looks like an address is refused because it is that of a group or of nobody. */
static const char *mac_expected(const char *value) {
        if (strlen(value) == MAC_STRING_MAX - 1 &&
            strspn(value, "0123456789abcdefABCDEF:") == MAC_STRING_MAX - 1)
                return "the address of one interface such as 52:54:00:12:34:56";
        return "six hex bytes such as 52:54:00:12:34:56";
}

static int parse_mac(XmlReader *r, xmlNode *node, ContainerDef *def) {
        InterfaceDef *interface = container_last_interface(def);
        _cleanup_free_ char *value = NULL;
        int k;

        k = xml_reader_require_attribute(r, node, "address", &value);
        if (k < 0)
                return k;
        if (mac_from_string(value, interface->mac) < 0)
                return xml_reader_bad_attribute(r, node, "address", value, mac_expected(value));
        interface->has_mac = true;
        return 0;
}

static int parse_console(XmlReader *r, xmlNode *node, ContainerDef *def) {
        def->n_consoles++;
        return parse_only_value(r, node, "type", "pty");
}

static const XmlElement filesystem_elements[] = {
        { .name = "source", .parse = parse_filesystem_source },
        { .name = "target", .parse = parse_filesystem_target },
        { .name = "readonly", .parse = parse_readonly },
        { 0 },
};

static const XmlElement interface_elements[] = {
        { .name = "mac", .parse = parse_mac },
        { .name = "source", .parse = parse_interface_source },
        { .name = "ip", .parse = container_parse_ip, .repeat = true },
        { .name = "route", .parse = container_parse_route, .repeat = true },
        { 0 },
};

const XmlElement container_devices_elements[] = {
        { .name = "filesystem",
          .parse = parse_filesystem,
          .elements = filesystem_elements,
          .unknown = unknown_of_filesystem,
          .repeat = true },
        { .name = "interface",
          .parse = parse_interface,
          .elements = interface_elements,
          .unknown = unknown_of_interface,
          .repeat = true },
        { .name = "console", .parse = parse_console, .repeat = true },
        { 0 },
};

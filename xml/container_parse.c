/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * container_def_parse(): <domain> down to <devices>. The tables at the end are the grammar.
 */

#include "base/name.h"
#include "xml/container_def.h"
#include "xml/container_grammar.h"
#include "xml/container_schema.h"
#include "xml/container_values.h"
#include "xml/xml_document.h"

static const XmlLimits container_limits = { .size = CONTAINER_XML_MAX, .elements = 10000 };

static int parse_type(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *type = NULL;
        int k;

        k = xml_reader_require_attribute(r, node, "type", &type);
        if (k < 0)
                return k;
        k = container_type_from_string(type);
        if (k < 0)
                return xml_reader_bad_attribute(r, node, "type", type, "'nspawn' or 'lxc'");
        def->type = (ContainerType) k;
        return 0;
}

static int parse_name(XmlReader *r, xmlNode *node, ContainerDef *def) {
        int k;

        k = xml_reader_text(node, &def->name);
        if (k < 0)
                return k;
        if (!container_name_is_valid(def->name))
                return xml_reader_error(r, node,
                                        "invalid container name '%s': letters, digits, '-', '_' "
                                        "and single dots, at most %d characters",
                                        XML_SHOW(def->name), CONTAINER_NAME_MAX);
        return 0;
}

static int parse_uuid(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *text = NULL;
        int k;

        k = xml_reader_text(node, &text);
        if (k < 0)
                return k;
        if (uuid_from_string(text, &def->uuid) < 0)
                return xml_reader_bad_text(r, node, text, "32 hex digits, with or without dashes");
        def->has_uuid = true;
        return 0;
}

static int parse_title(XmlReader *r, xmlNode *node, ContainerDef *def) {
        int k;

        k = xml_reader_text(node, &def->title);
        if (k < 0)
                return k;
        if (has_control_character(def->title))
                return xml_reader_bad_text(r, node, def->title, "one line of text");
        return 0;
}

static int parse_description(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return xml_reader_text(node, &def->description);
}

static int parse_memory_value(XmlReader *r, xmlNode *node, uint64_t *ret) {
        _cleanup_free_ char *text = NULL, *unit = NULL;
        uint64_t number;
        int k;

        k = xml_reader_text(node, &text);
        if (k < 0)
                return k;
        k = xml_reader_attribute(node, "unit", &unit);
        if (k < 0)
                return k;

        k = xml_reader_parse_unsigned(text, &number);
        if (k == -EINVAL)
                return xml_reader_bad_text(r, node, text, "a whole number");
        if (k >= 0)
                k = scale_memory(number, unit, ret);
        if (k == -EINVAL)
                return xml_reader_bad_attribute(r, node, "unit", unit,
                                                "a unit such as bytes, KiB, MiB or GiB");
        if (k < 0)
                return xml_reader_bad_text(r, node, text, "more than 0 and less than 8 EiB");
        return 0;
}

static int parse_memory(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return parse_memory_value(r, node, &def->memory_kib);
}

static int parse_current_memory(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return parse_memory_value(r, node, &def->current_memory_kib);
}

static int parse_vcpu(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *text = NULL;
        uint64_t number;
        int k;

        k = xml_reader_text(node, &text);
        if (k < 0)
                return k;
        if (xml_reader_parse_unsigned(text, &number) < 0 || number < 1 ||
            number > CONTAINER_VCPUS_MAX)
                return xml_reader_bad_text(r, node, text, "a number from 1 to 4096");
        def->vcpus = (unsigned) number;
        return 0;
}

static int parse_os_type(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *text = NULL;
        int k;

        k = xml_reader_text(node, &text);
        if (k < 0)
                return k;
        return streq(text, "exe") ? 0 : xml_reader_bad_text(r, node, text, "'exe'");
}

static int parse_init(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *text = NULL;
        int k;

        k = xml_reader_text(node, &text);
        if (k < 0)
                return k;
        k = clean_path(text, &def->init);
        return k == -EINVAL ? xml_reader_bad_text(r, node, text, CONTAINER_PATH_EXPECTED) : k;
}

static int parse_initarg(XmlReader *r, xmlNode *node, ContainerDef *def) {
        char *text = NULL;
        int k;

        k = xml_reader_text(node, &text);
        return k < 0 ? k : strv_push(&def->initargs, text);
}

int container_parse_withheld(XmlReader *r, xmlNode *node, const char *what, bool has_value,
                             bool *ret) {
        _cleanup_free_ char *text = NULL;
        int k;

        k = xml_reader_attribute(node, "withheld", &text);
        if (k < 0 || !text)
                return k;
        if (!streq(text, "yes") && !streq(text, "no"))
                return xml_reader_bad_attribute(r, node, "withheld", text, "'yes' or 'no'");
        *ret = streq(text, "yes");
        if (*ret && has_value)
                return xml_reader_error(r, node,
                                        "element '%s': '%s' has a value, so it is not withheld; "
                                        "leave the attribute 'withheld' out",
                                        (const char *) node->name, what);
        return 0;
}

static int parse_initenv(XmlReader *r, xmlNode *node, ContainerDef *def) {
        EnvironmentDef *grown, *variable;
        int k;

        grown = reallocarray(def->environment, def->n_environment + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        def->environment = grown;
        variable = &grown[def->n_environment++];
        *variable = (EnvironmentDef){ 0 };

        k = xml_reader_require_attribute(r, node, "name", &variable->name);
        if (k < 0)
                return k;
        if (!variable_name_is_valid(variable->name))
                return xml_reader_bad_attribute(r, node, "name", variable->name,
                                                "letters, digits and '_', no digit first");
        k = xml_reader_text(node, &variable->value);
        return k < 0 ? k
                     : container_parse_withheld(r, node, variable->name, !isempty(variable->value),
                                                &variable->withheld);
}

static int parse_initdir(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *text = NULL;
        int k;

        k = xml_reader_text(node, &text);
        if (k < 0)
                return k;
        k = clean_path(text, &def->initdir);
        if (k >= 0 && !directory_is_plain(def->initdir))
                k = -EINVAL;
        return k == -EINVAL ? xml_reader_bad_text(r, node, text, CONTAINER_INITDIR_EXPECTED) : k;
}

static int parse_user(XmlReader *r, xmlNode *node, char **ret) {
        int k = xml_reader_text(node, ret);

        if (k < 0 || init_user_is_valid(*ret))
                return k;
        return xml_reader_bad_text(r, node, *ret, CONTAINER_USER_EXPECTED);
}

static int parse_inituser(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return parse_user(r, node, &def->inituser);
}

static int parse_initgroup(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return parse_user(r, node, &def->initgroup);
}

static int parse_on_network_stop(XmlReader *r, xmlNode *node, ContainerDef *def) {
        _cleanup_free_ char *text = NULL;
        int k;

        k = xml_reader_text(node, &text);
        if (k < 0)
                return k;
        k = on_network_stop_from_string(text);
        if (k < 0)
                return xml_reader_bad_text(r, node, text, "'keep' or 'stop'");
        def->on_network_stop = (OnNetworkStop) k;
        return 0;
}

static int parse_privnet(XmlReader *r, xmlNode *node, ContainerDef *def) {
        def->private_network = true;
        return 0;
}

/* One attribute of <uid> or <gid> that has to be a certain number. */
static int parse_exact(XmlReader *r, xmlNode *node, const char *name, uint64_t wanted,
                       const char *expected) {
        _cleanup_free_ char *value = NULL;
        uint64_t number;
        int k;

        k = xml_reader_require_attribute(r, node, name, &value);
        if (k < 0)
                return k;
        if (xml_reader_parse_unsigned(value, &number) < 0 || number != wanted)
                return xml_reader_bad_attribute(r, node, name, value, expected);
        return 0;
}

static int parse_target(XmlReader *r, xmlNode *node, uint32_t *ret) {
        _cleanup_free_ char *value = NULL;
        uint64_t number;
        int k;

        k = xml_reader_require_attribute(r, node, "target", &value);
        if (k < 0)
                return k;
        if (xml_reader_parse_unsigned(value, &number) < 0 || number < CONTAINER_UID_FIRST ||
            number > CONTAINER_UID_LAST || number % CONTAINER_UID_RANGE != 0)
                return xml_reader_bad_attribute(
                        r, node, "target", value,
                        "a multiple of 65536 from 524288 to 1878982656 (systemd's range for "
                        "containers)");
        *ret = (uint32_t) number;
        return 0;
}

/* <uid> and <gid>: nspawn maps both with the same 65536 ids. */
static int parse_id(XmlReader *r, xmlNode *node, ContainerDef *def) {
        uint32_t base = 0;
        int k;

        k = parse_exact(r, node, "start", 0, "0, since a container has all ids from 0 on");
        if (k < 0)
                return k;
        k = parse_target(r, node, &base);
        if (k < 0)
                return k;
        k = parse_exact(r, node, "count", CONTAINER_UID_RANGE,
                        "65536, the size of a container's range");
        if (k < 0)
                return k;

        if (def->idmap.present && def->idmap.base != base)
                return xml_reader_error(r, node,
                                        "<uid> and <gid> must have the same target, not %u and %u",
                                        def->idmap.base, base);
        def->idmap = (IdMapDef){ .present = true, .base = base, .count = CONTAINER_UID_RANGE };
        return 0;
}

static int require_child(XmlReader *r, const xmlNode *node, const char *name) {
        if (xml_reader_child(node, name))
                return 0;
        return xml_reader_error(r, node, "missing element <%s> in <%s>", name,
                                (const char *) node->name);
}

static int idmap_done(XmlReader *r, xmlNode *node, ContainerDef *def) {
        int k;

        k = require_child(r, node, "uid");
        return k < 0 ? k : require_child(r, node, "gid");
}

static int domain_done(XmlReader *r, xmlNode *node, ContainerDef *def) {
        if (def->memory_kib > 0 && def->current_memory_kib > def->memory_kib)
                return xml_reader_error(r, xml_reader_child(node, "currentMemory"),
                                        "current memory '%lluk' exceeds maximum '%lluk'",
                                        (unsigned long long) def->current_memory_kib,
                                        (unsigned long long) def->memory_kib);
        return require_child(r, node, "name");
}

static UnknownXml *unknown_of_domain(ContainerDef *def) {
        return &def->unknown;
}

static UnknownXml *unknown_of_os(ContainerDef *def) {
        return &def->unknown_os;
}

static UnknownXml *unknown_of_features(ContainerDef *def) {
        return &def->unknown_features;
}

static UnknownXml *unknown_of_devices(ContainerDef *def) {
        return &def->unknown_devices;
}

static const XmlElement os_elements[] = {
        { .name = "type", .parse = parse_os_type },
        { .name = "init", .parse = parse_init },
        { .name = "initarg", .parse = parse_initarg, .repeat = true },
        { .name = "initenv", .parse = parse_initenv, .repeat = true },
        { .name = "initdir", .parse = parse_initdir },
        { .name = "inituser", .parse = parse_inituser },
        { .name = "initgroup", .parse = parse_initgroup },
        { 0 },
};

static const XmlElement features_elements[] = {
        { .name = "privnet", .parse = parse_privnet },
        { 0 },
};

static const XmlElement idmap_elements[] = {
        { .name = "uid", .parse = parse_id },
        { .name = "gid", .parse = parse_id },
        { 0 },
};

static const XmlElement domain_elements[] = {
        { .name = "name", .parse = parse_name },
        { .name = "uuid", .parse = parse_uuid },
        { .name = "title", .parse = parse_title },
        { .name = "description", .parse = parse_description },
        { .name = "metadata", .keep = true },
        { .name = "memory", .parse = parse_memory },
        { .name = "currentMemory", .parse = parse_current_memory },
        { .name = "vcpu", .parse = parse_vcpu },
        { .name = "os", .elements = os_elements, .unknown = unknown_of_os },
        { .name = "idmap", .elements = idmap_elements, .done = idmap_done },
        { .name = "features", .elements = features_elements, .unknown = unknown_of_features },
        { .name = "devices",
          .elements = container_devices_elements,
          .unknown = unknown_of_devices },
        { .name = "on_network_stop", .parse = parse_on_network_stop, .own = true },
        { .name = "bootstrap",
          .parse = container_parse_bootstrap,
          .done = container_bootstrap_done,
          .elements = container_bootstrap_elements,
          .own = true },
        { .name = "firstboot",
          .parse = container_parse_first_boot,
          .elements = container_first_boot_elements,
          .own = true },
        { .name = "quota", .parse = container_parse_quota, .own = true },
        { 0 },
};

static const XmlElement domain = {
        .name = "domain",
        .parse = parse_type,
        .done = domain_done,
        .elements = domain_elements,
        .unknown = unknown_of_domain,
};

static int parse_document(XmlReader *r, xmlDoc *doc, ContainerDef *def) {
        xmlNode *root = xmlDocGetRootElement(doc);
        int k;

        if (!xml_reader_is(root, domain.name))
                return xml_reader_error(r, root, "unexpected root element <%s>%s, expecting <%s>",
                                        XML_SHOW(root->name), root->ns ? " in a namespace" : "",
                                        domain.name);

        k = xml_reader_walk(r, root, &domain, def, NULL);
        if (k < 0)
                return k;
        k = container_def_check(def, r->file, r->err);
        if (k < 0)
                return k;
        return r->flags & PARSE_VALIDATE ? container_schema_validate(doc, r->file, r->err) : 0;
}

int container_def_parse(const char *xml, size_t size, const char *file_name, ParseFlags flags,
                        ContainerDef **ret, char ***ret_warnings, Error **err) {
        _cleanup_(xml_reader_done) XmlReader r = { .file = file_name, .flags = flags, .err = err };
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_(xmlFreeDocp) xmlDoc *doc = NULL;
        int k;

        assert(xml || size == 0);
        assert(ret);

        k = xml_document_load(xml, size, &container_limits, file_name, &doc, err);
        if (k < 0)
                return k;
        def = calloc(1, sizeof(*def));
        if (!def)
                return -ENOMEM;
        k = parse_document(&r, doc, def);
        if (k < 0)
                return k;

        *ret = TAKE_PTR(def);
        if (ret_warnings)
                *ret_warnings = TAKE_PTR(r.warnings);
        return 0;
}

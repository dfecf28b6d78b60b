/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <ct:firstboot> and <ct:quota>. The table at the end is the grammar.
 */

#include "xml/container_def.h"
#include "xml/container_grammar.h"
#include "xml/container_values.h"
#include "xml/own_reader.h"

int container_parse_first_boot(XmlReader *r, xmlNode *node, ContainerDef *def) {
        def->first_boot = calloc(1, sizeof(*def->first_boot));
        return def->first_boot ? 0 : -ENOMEM;
}

static int parse_hostname(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return own_reader_text(r, node, &value_hostname, &def->first_boot->hostname);
}

static int parse_root_password(XmlReader *r, xmlNode *node, ContainerDef *def) {
        FirstBootDef *f = def->first_boot;
        int k;

        k = own_reader_attribute(r, node, "hash", &value_password_hash, &f->root_hash);
        if (k < 0)
                return k;
        k = container_parse_withheld(r, node, "hash", f->root_hash, &f->root_hash_withheld);
        if (k < 0 || f->root_hash || f->root_hash_withheld)
                return k;
        return xml_reader_error(r, node, "element 'rootpassword': attribute 'hash' is missing");
}

static int parse_locale(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return own_reader_text(r, node, &value_locale, &def->first_boot->locale);
}

static int parse_keymap(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return own_reader_text(r, node, &value_keymap, &def->first_boot->keymap);
}

static int parse_timezone(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return own_reader_text(r, node, &value_timezone, &def->first_boot->timezone);
}

static int parse_machine_id(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return own_reader_text(r, node, &value_machine_id, &def->first_boot->machine_id);
}

static int parse_ssh_key(XmlReader *r, xmlNode *node, ContainerDef *def) {
        FirstBootDef *f = def->first_boot;
        SshKeyDef *grown, *key;
        int k;

        grown = reallocarray(f->ssh_keys, f->n_ssh_keys + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        f->ssh_keys = grown;
        key = &grown[f->n_ssh_keys++];
        *key = (SshKeyDef){ 0 };

        k = own_reader_require(r, node, "user", &value_user, &key->user);
        if (k < 0)
                return k;
        return own_reader_text(r, node, &value_ssh_key, &key->key);
}

static int parse_search(XmlReader *r, xmlNode *node, ContainerDef *def) {
        return own_reader_item(r, node, "domain", &value_domain, &def->first_boot->search_domains);
}

int container_parse_quota(XmlReader *r, xmlNode *node, ContainerDef *def) {
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
                k = scale_bytes(number, unit, &def->quota);
        if (k == -EINVAL)
                return xml_reader_bad_attribute(r, node, "unit", unit,
                                                "a unit such as bytes, KiB, MiB or GiB");
        if (k < 0 || def->quota < CONTAINER_QUOTA_MIN || def->quota > CONTAINER_QUOTA_MAX)
                return xml_reader_bad_text(r, node, text,
                                           unit ? CONTAINER_QUOTA_EXPECTED
                                                : CONTAINER_QUOTA_EXPECTED
                                                   "; without the attribute 'unit' it is bytes");
        return 0;
}

const XmlElement container_first_boot_elements[] = {
        { .name = "hostname", .parse = parse_hostname, .own = true },
        { .name = "rootpassword", .parse = parse_root_password, .own = true },
        { .name = "locale", .parse = parse_locale, .own = true },
        { .name = "keymap", .parse = parse_keymap, .own = true },
        { .name = "timezone", .parse = parse_timezone, .own = true },
        { .name = "machineid", .parse = parse_machine_id, .own = true },
        { .name = "sshkey", .parse = parse_ssh_key, .own = true, .repeat = true },
        { .name = "search", .parse = parse_search, .own = true, .repeat = true },
        { 0 },
};

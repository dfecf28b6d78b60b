/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/generated_text.h"

#include "units/nspawn_file.h"
#include "units/text.h"
#include "units/unit_escape.h"

FILE *generated_begin(const ContainerDef *def, char **text, size_t *size) {
        FILE *f = open_memstream(text, size);

        if (f)
                fprintf(f,
                        GENERATED_MARK " from the definition of container '%s'. Changes here are "
                                       "lost.\n"
                                       "# Change the definition instead: ctvirt dumpxml %s, ctvirt "
                                       "define FILE.\n",
                        def->name, def->name);
        return f;
}

int generated_end(FILE *f, char **text, char **ret) {
        if (fclose(f) != 0)
                return -ENOMEM;
        if (strlen(*text) >= NSPAWN_FILE_MAX)
                return -EFBIG;
        *ret = TAKE_PTR(*text);
        return 0;
}

int generated_put(FILE *f, const char *key, const char *value) {
        if (!conf_value_is_plain(value))
                return -EINVAL;
        fprintf(f, "%s=%s\n", key, value);
        return 0;
}

bool interface_is_bridged(const InterfaceDef *i) {
        return i->type != INTERFACE_TYPE_DIRECT;
}

unsigned interface_index(const ContainerDef *def, size_t interface) {
        bool bridged = interface_is_bridged(&def->interfaces[interface]);
        unsigned n = 0;

        for (size_t i = 0; i < interface; i++)
                if (interface_is_bridged(&def->interfaces[i]) == bridged)
                        n++;
        return n;
}

bool interface_derived_mac(const GeneratedInput *in, size_t interface,
                           uint8_t ret[static ETH_ALEN]) {
        unsigned index = interface_index(in->def, interface);

        if (!in->machine_id || !interface_is_bridged(&in->def->interfaces[interface]))
                return false;
        if (index == 0)
                nspawn_container_mac(in->machine_id, in->def->name, ret);
        else
                nspawn_extra_container_mac(in->machine_id, in->def->name, index - 1, ret);
        return true;
}

bool interface_needs_mac(const GeneratedInput *in, size_t interface) {
        const InterfaceDef *i = &in->def->interfaces[interface];
        uint8_t derived[ETH_ALEN];

        if (!i->has_mac)
                return false;
        return !interface_derived_mac(in, interface, derived) ||
               memcmp(derived, i->mac, ETH_ALEN) != 0;
}

char *generated_root(const ContainerDef *def) {
        const char *root = container_def_root(def);

        return root ? strdup(root) : text_format("/var/lib/machines/%s", def->name);
}

char *generated_link_inside(const ContainerDef *def, size_t interface) {
        const InterfaceDef *i = &def->interfaces[interface];
        _cleanup_free_ char *name = NULL;

        if (interface_is_bridged(i))
                return text_format("host%u", interface_index(def, interface));
        name = text_format("mv-%s", i->source);
        return name ? nspawn_shorten_link_name(name) : NULL;
}

char *generated_link_outside(const ContainerDef *def, size_t interface) {
        unsigned index = interface_index(def, interface);

        if (!interface_is_bridged(&def->interfaces[interface]))
                return NULL;
        return index == 0 ? nspawn_bridge_link_name(def->name)
                          : nspawn_extra_link_name(def->name, index);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/container_def.h"

#include "xml/unknown_xml.h"

static const char *const container_type_names[] = {
        [CONTAINER_TYPE_NSPAWN] = "nspawn",
        [CONTAINER_TYPE_LXC] = "lxc",
};
static_assert(ELEMENTSOF(container_type_names) == CONTAINER_TYPE_LXC + 1, "one name a type");

static const char *const interface_type_names[] = {
        [INTERFACE_TYPE_NETWORK] = "network",
        [INTERFACE_TYPE_BRIDGE] = "bridge",
        [INTERFACE_TYPE_DIRECT] = "direct",
};
static_assert(ELEMENTSOF(interface_type_names) == INTERFACE_TYPE_DIRECT + 1, "one name a type");

static const char *const on_network_stop_names[] = {
        [ON_NETWORK_STOP_KEEP] = "keep",
        [ON_NETWORK_STOP_STOP] = "stop",
};
static_assert(ELEMENTSOF(on_network_stop_names) == ON_NETWORK_STOP_STOP + 1, "one name a policy");

static int find_name(const char *const *names, size_t n, const char *s) {
        for (size_t i = 0; i < n; i++)
                if (streq(names[i], s))
                        return (int) i;
        return -EINVAL;
}

const char *container_type_to_string(ContainerType t) {
        assert((size_t) t < ELEMENTSOF(container_type_names));
        return container_type_names[t];
}

int container_type_from_string(const char *s) {
        return find_name(container_type_names, ELEMENTSOF(container_type_names), s);
}

const char *interface_type_to_string(InterfaceType t) {
        assert((size_t) t < ELEMENTSOF(interface_type_names));
        return interface_type_names[t];
}

int interface_type_from_string(const char *s) {
        return find_name(interface_type_names, ELEMENTSOF(interface_type_names), s);
}

const char *on_network_stop_to_string(OnNetworkStop o) {
        assert((size_t) o < ELEMENTSOF(on_network_stop_names));
        return on_network_stop_names[o];
}

int on_network_stop_from_string(const char *s) {
        return find_name(on_network_stop_names, ELEMENTSOF(on_network_stop_names), s);
}

const char *mac_to_string(const uint8_t mac[static ETH_ALEN], char buffer[static MAC_STRING_MAX]) {
        (void) snprintf(buffer, MAC_STRING_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
                        mac[2], mac[3], mac[4], mac[5]);
        return buffer;
}

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int mac_from_string(const char *s, uint8_t ret[static ETH_ALEN]) {
        static const uint8_t zero[ETH_ALEN] = { 0 };
        uint8_t mac[ETH_ALEN];

        if (strlen(s) != MAC_STRING_MAX - 1)
                return -EINVAL;
        for (size_t i = 0; i < ETH_ALEN; i++, s += 3) {
                int high = hex_value(s[0]), low = hex_value(s[1]);

                if (high < 0 || low < 0 || s[2] != (i + 1 < ETH_ALEN ? ':' : '\0'))
                        return -EINVAL;
                mac[i] = (uint8_t) (high << 4 | low);
        }
        if ((mac[0] & 1) || memcmp(mac, zero, ETH_ALEN) == 0)
                return -EINVAL;

        memcpy(ret, mac, ETH_ALEN);
        return 0;
}

const char *container_def_root(const ContainerDef *def) {
        for (size_t i = 0; i < def->n_filesystems; i++)
                if (streq_ptr(def->filesystems[i].target, "/"))
                        return def->filesystems[i].source;
        return NULL;
}

static void interface_done(InterfaceDef *interface) {
        free(interface->source);
        for (size_t i = 0; i < interface->n_ips; i++)
                free(interface->ips[i].address);
        free(interface->ips);
        for (size_t i = 0; i < interface->n_routes; i++) {
                free(interface->routes[i].address);
                free(interface->routes[i].gateway);
        }
        free(interface->routes);
        unknown_xml_done(&interface->unknown);
}

static void filesystem_done(FilesystemDef *filesystem) {
        free(filesystem->source);
        free(filesystem->target);
        unknown_xml_done(&filesystem->unknown);
}

void container_def_withhold(ContainerDef *def) {
        for (size_t i = 0; i < def->n_environment; i++) {
                EnvironmentDef *variable = &def->environment[i];

                variable->withheld = variable->withheld || !isempty(variable->value);
                if (variable->value)
                        *variable->value = '\0';
        }
        if (def->first_boot && def->first_boot->root_hash) {
                free(TAKE_PTR(def->first_boot->root_hash));
                def->first_boot->root_hash_withheld = true;
        }
}

const char *container_def_withheld(const ContainerDef *def) {
        for (size_t i = 0; i < def->n_environment; i++)
                if (def->environment[i].withheld)
                        return def->environment[i].name;
        return def->first_boot && def->first_boot->root_hash_withheld ? "rootpassword" : NULL;
}

static void environment_done(EnvironmentDef *variable) {
        free(variable->name);
        free(variable->value);
}

ContainerDef *container_def_free(ContainerDef *def) {
        if (!def)
                return NULL;

        free(def->name);
        free(def->title);
        free(def->description);
        free(def->init);
        strv_free(def->initargs);
        free(def->initdir);
        free(def->inituser);
        free(def->initgroup);
        for (size_t i = 0; i < def->n_environment; i++)
                environment_done(&def->environment[i]);
        free(def->environment);
        for (size_t i = 0; i < def->n_filesystems; i++)
                filesystem_done(&def->filesystems[i]);
        free(def->filesystems);
        for (size_t i = 0; i < def->n_interfaces; i++)
                interface_done(&def->interfaces[i]);
        free(def->interfaces);
        bootstrap_def_free(def->bootstrap);
        first_boot_def_free(def->first_boot);
        unknown_xml_done(&def->unknown);
        unknown_xml_done(&def->unknown_os);
        unknown_xml_done(&def->unknown_features);
        unknown_xml_done(&def->unknown_devices);
        free(def);
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ContainerDef: deep copy and comparison. Line numbers are copied, but not compared. */

#include "xml/container_def.h"
#include "xml/unknown_xml.h"

static int copy_string(const char *s, char **ret) {
        *ret = s ? strdup(s) : NULL;
        return s && !*ret ? -ENOMEM : 0;
}

/* Zeroed memory for n elements; one byte for none, so that NULL always means that memory is short.
 */
static void *new_array(size_t n, size_t size) {
        return calloc(n > 0 ? n : 1, size);
}

static int copy_addresses(const InterfaceDef *from, InterfaceDef *to) {
        to->ips = new_array(from->n_ips, sizeof(*to->ips));
        to->routes = new_array(from->n_routes, sizeof(*to->routes));
        if (!to->ips || !to->routes)
                return -ENOMEM;

        for (size_t i = 0; i < from->n_ips; i++) {
                IpDef *ip = &to->ips[to->n_ips++];

                *ip = from->ips[i];
                if (copy_string(from->ips[i].address, &ip->address) < 0)
                        return -ENOMEM;
        }
        for (size_t i = 0; i < from->n_routes; i++) {
                RouteDef *route = &to->routes[to->n_routes++];
                const RouteDef *source = &from->routes[i];

                *route = *source;
                route->gateway = NULL;
                if (copy_string(source->address, &route->address) < 0 ||
                    copy_string(source->gateway, &route->gateway) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int copy_interfaces(const ContainerDef *from, ContainerDef *to) {
        to->interfaces = new_array(from->n_interfaces, sizeof(*to->interfaces));
        if (!to->interfaces)
                return -ENOMEM;

        for (size_t i = 0; i < from->n_interfaces; i++) {
                const InterfaceDef *source = &from->interfaces[i];
                InterfaceDef *interface = &to->interfaces[to->n_interfaces++];

                *interface = (InterfaceDef){
                        .type = source->type,
                        .has_mac = source->has_mac,
                        .line = source->line,
                };
                memcpy(interface->mac, source->mac, ETH_ALEN);
                if (copy_string(source->source, &interface->source) < 0 ||
                    copy_addresses(source, interface) < 0 ||
                    unknown_xml_copy(&source->unknown, &interface->unknown) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int copy_filesystems(const ContainerDef *from, ContainerDef *to) {
        to->filesystems = new_array(from->n_filesystems, sizeof(*to->filesystems));
        if (!to->filesystems)
                return -ENOMEM;

        for (size_t i = 0; i < from->n_filesystems; i++) {
                const FilesystemDef *source = &from->filesystems[i];
                FilesystemDef *filesystem = &to->filesystems[to->n_filesystems++];

                *filesystem = (FilesystemDef){
                        .readonly = source->readonly,
                        .line = source->line,
                };
                if (copy_string(source->source, &filesystem->source) < 0 ||
                    copy_string(source->target, &filesystem->target) < 0 ||
                    unknown_xml_copy(&source->unknown, &filesystem->unknown) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int copy_environment(const ContainerDef *from, ContainerDef *to) {
        to->environment = new_array(from->n_environment, sizeof(*to->environment));
        if (!to->environment)
                return -ENOMEM;

        for (size_t i = 0; i < from->n_environment; i++) {
                EnvironmentDef *variable = &to->environment[to->n_environment++];

                variable->withheld = from->environment[i].withheld;
                if (copy_string(from->environment[i].name, &variable->name) < 0 ||
                    copy_string(from->environment[i].value, &variable->value) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int copy_strings(const ContainerDef *from, ContainerDef *to) {
        if (copy_string(from->name, &to->name) < 0 || copy_string(from->title, &to->title) < 0 ||
            copy_string(from->description, &to->description) < 0 ||
            copy_string(from->init, &to->init) < 0 ||
            strv_copy(from->initargs, &to->initargs) < 0 ||
            copy_string(from->initdir, &to->initdir) < 0 ||
            copy_string(from->inituser, &to->inituser) < 0 ||
            copy_string(from->initgroup, &to->initgroup) < 0)
                return -ENOMEM;
        return 0;
}

static int copy_own(const ContainerDef *from, ContainerDef *to) {
        to->bootstrap = from->bootstrap ? bootstrap_def_copy(from->bootstrap) : NULL;
        to->first_boot = from->first_boot ? first_boot_def_copy(from->first_boot) : NULL;
        to->quota = from->quota;
        return !to->bootstrap != !from->bootstrap || !to->first_boot != !from->first_boot ? -ENOMEM
                                                                                          : 0;
}

static int copy_unknown(const ContainerDef *from, ContainerDef *to) {
        if (unknown_xml_copy(&from->unknown, &to->unknown) < 0 ||
            unknown_xml_copy(&from->unknown_os, &to->unknown_os) < 0 ||
            unknown_xml_copy(&from->unknown_features, &to->unknown_features) < 0 ||
            unknown_xml_copy(&from->unknown_devices, &to->unknown_devices) < 0)
                return -ENOMEM;
        return 0;
}

ContainerDef *container_def_copy(const ContainerDef *def) {
        _cleanup_(container_def_freep) ContainerDef *copy = calloc(1, sizeof(*copy));

        if (!copy)
                return NULL;

        copy->type = def->type;
        copy->has_uuid = def->has_uuid;
        copy->uuid = def->uuid;
        copy->memory_kib = def->memory_kib;
        copy->current_memory_kib = def->current_memory_kib;
        copy->vcpus = def->vcpus;
        copy->private_network = def->private_network;
        copy->idmap = def->idmap;
        copy->n_consoles = def->n_consoles;
        copy->on_network_stop = def->on_network_stop;

        if (copy_strings(def, copy) < 0 || copy_environment(def, copy) < 0 ||
            copy_filesystems(def, copy) < 0 || copy_interfaces(def, copy) < 0 ||
            copy_own(def, copy) < 0 || copy_unknown(def, copy) < 0)
                return NULL;
        return TAKE_PTR(copy);
}

static bool ip_equal(const IpDef *a, const IpDef *b) {
        return a->family == b->family && a->prefix == b->prefix &&
               streq_ptr(a->address, b->address);
}

static bool route_equal(const RouteDef *a, const RouteDef *b) {
        return a->family == b->family && a->prefix == b->prefix && a->metric == b->metric &&
               streq_ptr(a->address, b->address) && streq_ptr(a->gateway, b->gateway);
}

static bool interface_equal(const InterfaceDef *a, const InterfaceDef *b) {
        if (a->type != b->type || !streq_ptr(a->source, b->source) || a->has_mac != b->has_mac ||
            (a->has_mac && memcmp(a->mac, b->mac, ETH_ALEN) != 0) || a->n_ips != b->n_ips ||
            a->n_routes != b->n_routes || !unknown_xml_equal(&a->unknown, &b->unknown))
                return false;

        for (size_t i = 0; i < a->n_ips; i++)
                if (!ip_equal(&a->ips[i], &b->ips[i]))
                        return false;
        for (size_t i = 0; i < a->n_routes; i++)
                if (!route_equal(&a->routes[i], &b->routes[i]))
                        return false;
        return true;
}

static bool filesystem_equal(const FilesystemDef *a, const FilesystemDef *b) {
        return streq_ptr(a->source, b->source) && streq_ptr(a->target, b->target) &&
               a->readonly == b->readonly && unknown_xml_equal(&a->unknown, &b->unknown);
}

static bool idmap_equal(const IdMapDef *a, const IdMapDef *b) {
        return a->present == b->present &&
               (!a->present || (a->base == b->base && a->count == b->count));
}

static bool scalars_equal(const ContainerDef *a, const ContainerDef *b) {
        return a->type == b->type && a->has_uuid == b->has_uuid &&
               (!a->has_uuid || uuid_equal(&a->uuid, &b->uuid)) && a->memory_kib == b->memory_kib &&
               a->current_memory_kib == b->current_memory_kib && a->vcpus == b->vcpus &&
               a->private_network == b->private_network && a->n_consoles == b->n_consoles &&
               a->on_network_stop == b->on_network_stop && idmap_equal(&a->idmap, &b->idmap);
}

static bool strings_equal(const ContainerDef *a, const ContainerDef *b) {
        return streq_ptr(a->name, b->name) && streq_ptr(a->title, b->title) &&
               streq_ptr(a->description, b->description) && streq_ptr(a->init, b->init) &&
               strv_equal(a->initargs, b->initargs) && streq_ptr(a->initdir, b->initdir) &&
               streq_ptr(a->inituser, b->inituser) && streq_ptr(a->initgroup, b->initgroup);
}

static bool own_equal(const ContainerDef *a, const ContainerDef *b) {
        if (!a->bootstrap != !b->bootstrap || !a->first_boot != !b->first_boot ||
            a->quota != b->quota)
                return false;
        return (!a->bootstrap || bootstrap_def_equal(a->bootstrap, b->bootstrap)) &&
               (!a->first_boot || first_boot_def_equal(a->first_boot, b->first_boot));
}

static bool unknown_equal(const ContainerDef *a, const ContainerDef *b) {
        return unknown_xml_equal(&a->unknown, &b->unknown) &&
               unknown_xml_equal(&a->unknown_os, &b->unknown_os) &&
               unknown_xml_equal(&a->unknown_features, &b->unknown_features) &&
               unknown_xml_equal(&a->unknown_devices, &b->unknown_devices);
}

static bool arrays_equal(const ContainerDef *a, const ContainerDef *b) {
        if (a->n_environment != b->n_environment || a->n_filesystems != b->n_filesystems ||
            a->n_interfaces != b->n_interfaces)
                return false;

        for (size_t i = 0; i < a->n_environment; i++)
                if (!streq_ptr(a->environment[i].name, b->environment[i].name) ||
                    !streq_ptr(a->environment[i].value, b->environment[i].value) ||
                    a->environment[i].withheld != b->environment[i].withheld)
                        return false;
        for (size_t i = 0; i < a->n_filesystems; i++)
                if (!filesystem_equal(&a->filesystems[i], &b->filesystems[i]))
                        return false;
        for (size_t i = 0; i < a->n_interfaces; i++)
                if (!interface_equal(&a->interfaces[i], &b->interfaces[i]))
                        return false;
        return true;
}

bool container_def_equal(const ContainerDef *a, const ContainerDef *b) {
        return scalars_equal(a, b) && strings_equal(a, b) && arrays_equal(a, b) &&
               own_equal(a, b) && unknown_equal(a, b);
}

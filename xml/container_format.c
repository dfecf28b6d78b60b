/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * container_def_format(): in the order of libvirt's dumpxml.
 */

#include <sys/socket.h>

#include "xml/container_def.h"
#include "xml/container_format_own.h"
#include "xml/unknown_xml.h"

static void format_memory(XmlWriter *w, const char *name, uint64_t kib) {
        char text[24];

        if (kib == 0)
                return;
        (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) kib);
        xml_writer_open(w, name, 0);
        xml_writer_attribute(w, "unit", "KiB");
        xml_writer_text(w, text);
        xml_writer_close(w);
}

static void format_general(XmlWriter *w, const ContainerDef *def) {
        char uuid[UUID_STRING_MAX], vcpus[12];

        xml_writer_element(w, "name", def->name);
        xml_writer_element(w, "uuid", def->has_uuid ? uuid_to_string(&def->uuid, uuid) : NULL);
        xml_writer_element(w, "title", def->title);
        xml_writer_element(w, "description", def->description);
        format_memory(w, "memory", def->memory_kib);
        format_memory(w, "currentMemory", def->current_memory_kib);
        (void) snprintf(vcpus, sizeof(vcpus), "%u", def->vcpus);
        xml_writer_element(w, "vcpu", def->vcpus > 0 ? vcpus : NULL);
}

static void format_os(XmlWriter *w, const ContainerDef *def) {
        xml_writer_open_with(w, "os", &def->unknown_os);
        xml_writer_element(w, "type", "exe");
        xml_writer_element(w, "init", def->init);
        for (size_t i = 0; def->initargs && def->initargs[i]; i++) {
                xml_writer_open(w, "initarg", i);
                xml_writer_text(w, def->initargs[i]);
                xml_writer_close(w);
        }
        for (size_t i = 0; i < def->n_environment; i++) {
                xml_writer_open(w, "initenv", i);
                xml_writer_attribute(w, "name", def->environment[i].name);
                xml_writer_attribute(w, "withheld", def->environment[i].withheld ? "yes" : NULL);
                xml_writer_text(w, def->environment[i].value);
                xml_writer_close(w);
        }
        xml_writer_element(w, "initdir", def->initdir);
        xml_writer_element(w, "inituser", def->inituser);
        xml_writer_element(w, "initgroup", def->initgroup);
        xml_writer_close(w);
}

static void format_idmap(XmlWriter *w, const IdMapDef *idmap) {
        static const char *const names[] = { "uid", "gid" };

        if (!idmap->present)
                return;
        xml_writer_open(w, "idmap", 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                xml_writer_open(w, names[i], 0);
                xml_writer_attribute(w, "start", "0");
                xml_writer_attributef(w, "target", "%u", idmap->base);
                xml_writer_attributef(w, "count", "%u", idmap->count);
                xml_writer_close(w);
        }
        xml_writer_close(w);
}

static void format_features(XmlWriter *w, const ContainerDef *def) {
        if (!def->private_network && unknown_xml_is_empty(&def->unknown_features))
                return;
        xml_writer_open_with(w, "features", &def->unknown_features);
        if (def->private_network) {
                xml_writer_open(w, "privnet", 0);
                xml_writer_close(w);
        }
        xml_writer_close(w);
}

static void format_directory(XmlWriter *w, const char *name, const char *path) {
        xml_writer_open(w, name, 0);
        xml_writer_attribute(w, "dir", path);
        xml_writer_close(w);
}

static void format_filesystem(XmlWriter *w, const FilesystemDef *filesystem) {
        xml_writer_open_with(w, "filesystem", &filesystem->unknown);
        xml_writer_attribute(w, "type", "mount");
        format_directory(w, "source", filesystem->source);
        format_directory(w, "target", filesystem->target);
        if (filesystem->readonly) {
                xml_writer_open(w, "readonly", 0);
                xml_writer_close(w);
        }
        xml_writer_close(w);
}

static const char *family_name(int family) {
        return family == AF_INET6 ? "ipv6" : "ipv4";
}

static void format_ip(XmlWriter *w, const IpDef *ip, size_t i) {
        xml_writer_open(w, "ip", i);
        xml_writer_attribute(w, "address", ip->address);
        xml_writer_attribute(w, "family", family_name(ip->family));
        xml_writer_attributef(w, "prefix", "%u", ip->prefix);
        xml_writer_close(w);
}

static void format_route(XmlWriter *w, const RouteDef *route, size_t i) {
        const char *any = route->family == AF_INET6 ? "::" : "0.0.0.0";

        xml_writer_open(w, "route", i);
        xml_writer_attribute(w, "family", family_name(route->family));
        xml_writer_attribute(w, "address", route->address ? route->address : any);
        xml_writer_attributef(w, "prefix", "%u", route->prefix);
        xml_writer_attribute(w, "gateway", route->gateway);
        if (route->metric > 0)
                xml_writer_attributef(w, "metric", "%u", route->metric);
        xml_writer_close(w);
}

static void format_interface_source(XmlWriter *w, const InterfaceDef *interface) {
        xml_writer_open(w, "source", 0);
        switch (interface->type) {
        case INTERFACE_TYPE_NETWORK:
                xml_writer_attribute(w, "network", interface->source);
                break;
        case INTERFACE_TYPE_BRIDGE:
                xml_writer_attribute(w, "bridge", interface->source);
                break;
        case INTERFACE_TYPE_DIRECT:
                xml_writer_attribute(w, "dev", interface->source);
                xml_writer_attribute(w, "mode", "bridge");
                break;
        }
        xml_writer_close(w);
}

static void format_interface(XmlWriter *w, const InterfaceDef *interface) {
        char mac[MAC_STRING_MAX];

        xml_writer_open_with(w, "interface", &interface->unknown);
        xml_writer_attribute(w, "type", interface_type_to_string(interface->type));
        if (interface->has_mac) {
                xml_writer_open(w, "mac", 0);
                xml_writer_attribute(w, "address", mac_to_string(interface->mac, mac));
                xml_writer_close(w);
        }
        format_interface_source(w, interface);
        for (size_t i = 0; i < interface->n_ips; i++)
                format_ip(w, &interface->ips[i], i);
        for (size_t i = 0; i < interface->n_routes; i++)
                format_route(w, &interface->routes[i], i);
        xml_writer_close(w);
}

static void format_devices(XmlWriter *w, const ContainerDef *def) {
        if (def->n_filesystems == 0 && def->n_interfaces == 0 && def->n_consoles == 0 &&
            unknown_xml_is_empty(&def->unknown_devices))
                return;

        xml_writer_open_with(w, "devices", &def->unknown_devices);
        for (size_t i = 0; i < def->n_filesystems; i++)
                format_filesystem(w, &def->filesystems[i]);
        for (size_t i = 0; i < def->n_interfaces; i++)
                format_interface(w, &def->interfaces[i]);
        for (size_t i = 0; i < def->n_consoles; i++) {
                xml_writer_open(w, "console", i);
                xml_writer_attribute(w, "type", "pty");
                xml_writer_close(w);
        }
        xml_writer_close(w);
}

int container_def_format(const ContainerDef *def, char **ret) {
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *text = NULL;
        XmlWriter w = { 0 };
        OwnPrefix own;
        size_t size;

        assert(def);
        assert(ret);

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;

        own_prefix_choose(def, &own);
        w.file = f;
        xml_writer_open_with(&w, "domain", &def->unknown);
        xml_writer_attribute(&w, "type", container_type_to_string(def->type));
        own_prefix_declare(&w, def, &own);
        format_general(&w, def);
        format_os(&w, def);
        format_idmap(&w, &def->idmap);
        format_features(&w, def);
        format_devices(&w, def);
        own_elements_format(&w, def, &own);
        xml_writer_close(&w);

        if (fclose(TAKE_PTR(f)) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <ip> and <route> of an interface.
 */

#include <sys/socket.h>

#include "xml/container_grammar.h"
#include "xml/container_values.h"

/* AF_UNSPEC if the attribute is absent. */
static int parse_family(XmlReader *r, xmlNode *node, int *ret) {
        _cleanup_free_ char *value = NULL;
        int k;

        k = xml_reader_attribute(node, "family", &value);
        if (k < 0)
                return k;
        if (value && !streq(value, "ipv4") && !streq(value, "ipv6"))
                return xml_reader_bad_attribute(r, node, "family", value, "'ipv4' or 'ipv6'");
        *ret = !value ? AF_UNSPEC : streq(value, "ipv4") ? AF_INET : AF_INET6;
        return 0;
}

static const char *address_expected(int family) {
        if (family == AF_UNSPEC)
                return "an IPv4 or IPv6 address";
        return family == AF_INET ? "an IPv4 address" : "an IPv6 address";
}

/* An address attribute in canonical form; *ret is NULL if it is absent. */
static int parse_address(XmlReader *r, xmlNode *node, const char *name, int *family, char **ret,
                         uint8_t bytes[static 16]) {
        _cleanup_free_ char *value = NULL;
        int k;

        k = xml_reader_attribute(node, name, &value);
        if (k < 0)
                return k;
        *ret = NULL;
        if (!value)
                return 0;

        k = canonical_address(value, family, ret, bytes);
        if (k == -EINVAL)
                return xml_reader_bad_attribute(r, node, name, value, address_expected(*family));
        return k;
}

static int require_address(XmlReader *r, xmlNode *node, const char *name, const char *address) {
        if (address)
                return 0;
        return xml_reader_error(r, node, "element '%s': attribute '%s' is missing",
                                (const char *) node->name, name);
}

static int parse_ip_prefix(XmlReader *r, xmlNode *node, IpDef *ip, const uint8_t *bytes) {
        uint64_t prefix = natural_prefix(ip->family, bytes);
        int k;

        k = xml_reader_unsigned_attribute(r, node, "prefix", 1, max_prefix(ip->family), &prefix);
        if (k < 0)
                return k;
        ip->prefix = (unsigned) prefix;
        return 0;
}

int container_parse_ip(XmlReader *r, xmlNode *node, ContainerDef *def) {
        InterfaceDef *interface = container_last_interface(def);
        uint8_t bytes[16];
        IpDef *grown, *ip;
        int k;

        grown = reallocarray(interface->ips, interface->n_ips + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        interface->ips = grown;
        ip = &grown[interface->n_ips++];
        *ip = (IpDef){ 0 };

        k = parse_family(r, node, &ip->family);
        if (k < 0)
                return k;
        k = parse_address(r, node, "address", &ip->family, &ip->address, bytes);
        if (k < 0)
                return k;
        k = require_address(r, node, "address", ip->address);
        if (k < 0)
                return k;
        if (!is_host_address(ip->family, bytes))
                return xml_reader_bad_attribute(r, node, "address", ip->address,
                                                "an address that an interface can have");
        return parse_ip_prefix(r, node, ip, bytes);
}

/* prefix or netmask; without either what the address naturally has. */
static int parse_route_prefix(XmlReader *r, xmlNode *node, RouteDef *route, uint64_t natural) {
        _cleanup_free_ char *netmask = NULL;
        uint64_t prefix = natural;
        int k, has_prefix;

        has_prefix = xml_reader_unsigned_attribute(r, node, "prefix", 0, max_prefix(route->family),
                                                   &prefix);
        if (has_prefix < 0)
                return has_prefix;
        route->prefix = (unsigned) prefix;

        k = xml_reader_attribute(node, "netmask", &netmask);
        if (k < 0 || !netmask)
                return k;
        if (has_prefix)
                return xml_reader_error(r, node,
                                        "element 'route': attributes 'prefix' and 'netmask' "
                                        "exclude each other");
        if (route->family != AF_INET || netmask_to_prefix(netmask, &route->prefix) < 0)
                return xml_reader_bad_attribute(r, node, "netmask", netmask,
                                                "an IPv4 netmask such as 255.255.255.0");
        return 0;
}

/* Where to: no address, or one without a single bit set and prefix 0, is the default route. */
static int parse_destination(XmlReader *r, xmlNode *node, RouteDef *route) {
        uint8_t bytes[16] = { 0 };
        bool any;
        int k;

        k = parse_address(r, node, "address", &route->family, &route->address, bytes);
        if (k < 0)
                return k;

        any = is_network_address(route->family, bytes, 0);
        k = parse_route_prefix(r, node, route, any ? 0 : natural_prefix(route->family, bytes));
        if (k < 0)
                return k;
        if (!is_network_address(route->family, bytes, route->prefix))
                return xml_reader_error(r, node,
                                        "element 'route': '%s' is not the address of a network "
                                        "with prefix %u",
                                        route->address, route->prefix);
        if (!route->address && route->prefix > 0)
                return require_address(r, node, "address", NULL);
        if (route->prefix == 0) {
                free(route->address);
                route->address = NULL;
        }
        return 0;
}

static int parse_gateway(XmlReader *r, xmlNode *node, RouteDef *route) {
        uint8_t bytes[16];
        int k;

        k = parse_address(r, node, "gateway", &route->family, &route->gateway, bytes);
        if (k < 0)
                return k;
        k = require_address(r, node, "gateway", route->gateway);
        if (k < 0)
                return k;
        if (!is_host_address(route->family, bytes))
                return xml_reader_bad_attribute(r, node, "gateway", route->gateway,
                                                "the address of a host");
        return 0;
}

int container_parse_route(XmlReader *r, xmlNode *node, ContainerDef *def) {
        InterfaceDef *interface = container_last_interface(def);
        uint64_t metric = 0;
        RouteDef *grown, *route;
        int k;

        grown = reallocarray(interface->routes, interface->n_routes + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        interface->routes = grown;
        route = &grown[interface->n_routes++];
        *route = (RouteDef){ 0 };

        k = parse_family(r, node, &route->family);
        if (k < 0)
                return k;
        k = parse_gateway(r, node, route); /* first: it tells the family of a default route */
        if (k < 0)
                return k;
        k = parse_destination(r, node, route);
        if (k < 0)
                return k;
        k = xml_reader_unsigned_attribute(r, node, "metric", 1, UINT32_MAX, &metric);
        if (k < 0)
                return k;
        route->metric = (unsigned) metric;
        return 0;
}

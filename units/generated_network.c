/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/socket.h>

#include "units/generated_text.h"

#define VERSION_NETWORK_MAC 255

/* Name= is a list of patterns. */
#define NAME_SPECIAL "*?[]\"'\\"

static bool has_family(const InterfaceDef *i, int family) {
        for (size_t n = 0; n < i->n_ips; n++)
                if (i->ips[n].family == family)
                        return true;
        return false;
}

/* nspawn sets it by itself (derived, or by its environment), or somebody has to. */
static bool mac_is_ours(const GeneratedInput *in, size_t interface) {
        bool host0 = interface_is_bridged(&in->def->interfaces[interface]) &&
                     interface_index(in->def, interface) == 0;

        if (host0 && in->systemd_version >= VERSION_NETWORK_MAC)
                return false;
        return interface_needs_mac(in, interface);
}

/* systemd-networkd in the container brings its own file for host0, and for nothing else. */
static bool is_needed(const GeneratedInput *in, size_t interface) {
        const InterfaceDef *i = &in->def->interfaces[interface];

        return !interface_is_bridged(i) || interface_index(in->def, interface) > 0 ||
               i->n_ips > 0 || i->n_routes > 0 || mac_is_ours(in, interface);
}

static void put_link(FILE *f, const GeneratedInput *in, size_t interface) {
        const InterfaceDef *i = &in->def->interfaces[interface];
        bool mac = mac_is_ours(in, interface), arp = !interface_is_bridged(i) && i->n_ips > 0;
        char buffer[MAC_STRING_MAX];

        if (!mac && !arp)
                return;
        fputs("\n[Link]\n", f);
        if (mac)
                fprintf(f, "MACAddress=%s\n", mac_to_string(i->mac, buffer));
        if (arp)
                fputs("ARP=yes\n", f);
}

/* As systemd's own file for host0. */
static void put_dhcp(FILE *f, const InterfaceDef *i) {
        fputs("\n[Network]\nDHCP=yes\nLinkLocalAddressing=yes\n", f);
        if (interface_is_bridged(i))
                fputs("LLDP=yes\nEmitLLDP=customer-bridge\n", f);
        fputs("\n[DHCP]\nUseTimezone=yes\n", f);
}

/* With an address of its own the interface still learns its routers from announcements, but makes
 * itself no further addresses. */
static void put_static(FILE *f, const InterfaceDef *i) {
        bool inet6 = has_family(i, AF_INET6);

        fprintf(f, "\n[Network]\nDHCP=no\nLinkLocalAddressing=%s\nIPv6AcceptRA=%s\n",
                inet6 ? "ipv6" : "no", inet6 ? "yes" : "no");
        for (size_t n = 0; n < i->n_ips; n++)
                fprintf(f, "Address=%s/%u\n", i->ips[n].address, i->ips[n].prefix);
        if (inet6)
                fputs("\n[IPv6AcceptRA]\nUseOnLinkPrefix=no\nUseAutonomousPrefix=no\n", f);
}

static void put_route(FILE *f, const RouteDef *r) {
        fputs("\n[Route]\n", f);
        if (r->address)
                fprintf(f, "Destination=%s/%u\n", r->address, r->prefix);
        else if (!r->gateway)
                fprintf(f, "Destination=%s\n", r->family == AF_INET6 ? "::/0" : "0.0.0.0/0");
        if (r->gateway)
                fprintf(f, "Gateway=%s\n", r->gateway);
        if (r->metric > 0)
                fprintf(f, "Metric=%u\n", r->metric);
}

int generated_network_format(const GeneratedInput *in, size_t interface, char **ret) {
        _cleanup_free_ char *text = NULL, *link = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        const InterfaceDef *i = &in->def->interfaces[interface];
        size_t size;

        if (!is_needed(in, interface)) {
                *ret = NULL;
                return 0;
        }
        link = generated_link_inside(in->def, interface);
        if (!link)
                return -ENOMEM;
        if (strpbrk(link, NAME_SPECIAL))
                return -EINVAL;
        f = generated_begin(in->def, &text, &size);
        if (!f)
                return -ENOMEM;

        fprintf(f, "\n[Match]\nName=%s\n", link);
        put_link(f, in, interface);
        if (i->n_ips > 0)
                put_static(f, i);
        else
                put_dhcp(f, i);
        for (size_t n = 0; n < i->n_routes; n++)
                put_route(f, &i->routes[n]);
        return generated_end(TAKE_PTR(f), &text, ret);
}

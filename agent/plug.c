/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/plug.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "base/log.h"
#include "units/bridge_link.h"

DEFINE_CLEANUP(struct nl_sock *, nl_socket_free)
DEFINE_CLEANUP(struct nl_msg *, nlmsg_free)

static int error_from_nl(int r) {
        switch (-r) {
        case NLE_OBJ_NOTFOUND:
        case NLE_NODEV:
                return -ENODEV;
        case NLE_NOMEM:
                return -ENOMEM;
        case NLE_PERM:
                return -EPERM;
        case NLE_BUSY:
                return -EBUSY;
        default: /* libnl's codes, of which there are many */
                return -EIO;
        }
}

static int new_order(unsigned link_ifindex, unsigned bridge_ifindex, struct nl_msg **ret) {
        const struct ifinfomsg info = {
                .ifi_family = AF_UNSPEC,
                .ifi_index = (int) link_ifindex,
                .ifi_flags = IFF_UP,
                .ifi_change = IFF_UP,
        };
        _cleanup_(nlmsg_freep) struct nl_msg *msg = nlmsg_alloc_simple(RTM_SETLINK, 0);

        if (!msg || nlmsg_append(msg, (void *) &info, sizeof(info), NLMSG_ALIGNTO) < 0 ||
            nla_put_u32(msg, IFLA_MASTER, bridge_ifindex) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(msg);
        return 0;
}

int plug_link(unsigned link_ifindex, unsigned bridge_ifindex) {
        _cleanup_(nl_socket_freep) struct nl_sock *socket = NULL;
        struct nl_msg *order;
        int r;

        r = new_order(link_ifindex, bridge_ifindex, &order);
        if (r < 0)
                return r;
        socket = nl_socket_alloc();
        if (!socket || nl_connect(socket, NETLINK_ROUTE) < 0) {
                nlmsg_free(order);
                return -ENOMEM;
        }

        /* Sends, waits for the kernel's acknowledgement, and frees the message in any case. The
         * kernel has done it, and queued the acknowledgement, before send(2) returns. */
        r = nl_send_sync(socket, order);
        return r < 0 ? error_from_nl(r) : 0;
}

static void plug(const Link *link, const char *bridge, unsigned bridge_ifindex) {
        int r = plug_link(link->ifindex, bridge_ifindex);

        /* Either of them went in the meantime: there will be news of that. */
        if (r == -ENODEV)
                return;
        if (r < 0)
                log_error_errno(r, "Failed to put link %s on bridge %s", link->name, bridge);
        else
                log_info("Put link %s on bridge %s", link->name, bridge);
}

/* Our picture may be a moment older than the kernel's: a bridge that has gone since is none. */
static bool has_master(const Link *link) {
        char name[IF_NAMESIZE];

        return link->master != 0 && if_indextoname(link->master, name);
}

static void plug_by_name(const Manager *m, const char *name, const char *bridge,
                         unsigned bridge_ifindex, bool anew) {
        const Link *link = link_watch_by_name(m->links, name);

        if (!link || link->bridge || link->master == bridge_ifindex)
                return;
        if (anew || !has_master(link))
                plug(link, bridge, bridge_ifindex);
}

/* The ifindex, from the kernel and not from our picture, which may be a moment older; 0: no link.
 */
static unsigned ifindex_of(const char *bridge) {
        BridgeLink link;

        return bridge_link_query(bridge, &link) < 0 ? 0 : link.ifindex;
}

void plug_on_link(Manager *m, const Link *link) {
        for (size_t i = 0; i < m->containers.n_items; i++) {
                const Container *c = m->containers.items[i];

                for (size_t j = 0; j < c->n_plugs; j++) {
                        const NspawnPlug *p = c->plugs + j;
                        unsigned ifindex;

                        if (!streq(p->link, link->name))
                                continue;
                        ifindex = ifindex_of(p->bridge);
                        if (ifindex > 0 && link->master != ifindex)
                                plug(link, p->bridge, ifindex);
                        return;
                }
        }
}

/* nspawn's own pair goes on the first bridge, whoever wrote the settings. That it exists says that
 * the container runs. */
static void plug_first_pair(const Manager *m, const Container *c, const char *bridge,
                            unsigned ifindex, bool anew) {
        _cleanup_free_ char *name = NULL;

        if (!c->bridges || !streq_ptr(c->bridges[0], bridge))
                return;
        name = nspawn_bridge_link_name(c->name);
        if (name)
                plug_by_name(m, name, bridge, ifindex, anew);
}

void plug_on_bridge(Manager *m, const char *bridge, unsigned ifindex, bool anew) {
        for (size_t i = 0; i < m->containers.n_items; i++) {
                const Container *c = m->containers.items[i];

                plug_first_pair(m, c, bridge, ifindex, anew);
                for (size_t j = 0; j < c->n_plugs; j++)
                        if (streq(c->plugs[j].bridge, bridge))
                                plug_by_name(m, c->plugs[j].link, bridge, ifindex, anew);
        }
}

void plug_container(Manager *m, const Container *c) {
        if (c->bridges && c->bridges[0]) {
                unsigned ifindex = ifindex_of(c->bridges[0]);

                if (ifindex > 0)
                        plug_first_pair(m, c, c->bridges[0], ifindex, false);
        }

        for (size_t i = 0; i < c->n_plugs; i++) {
                unsigned ifindex = ifindex_of(c->plugs[i].bridge);

                if (ifindex > 0)
                        plug_by_name(m, c->plugs[i].link, c->plugs[i].bridge, ifindex, false);
        }
}

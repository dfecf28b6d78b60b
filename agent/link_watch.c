/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/link_watch.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/rtnl.h>
#include <sys/socket.h>

#include "base/log.h"

#define RECEIVE_BUFFER (1024 * 1024) /* a thousand links that come at once fit in */
#define RECEIVE_BATCH 64             /* before others have their turn */
#define RESYNC_USEC 10000
#define RESYNC_ACCURACY_USEC 1000

struct LinkWatch {
        LinkHandlers handlers;
        struct nl_sock *socket;
        sd_event_source *source;
        sd_event_source *retry;
        bool silent;      /* taking the first picture: nobody is told */
        bool dumping;     /* the picture is being made anew */
        bool interrupted; /* … and has to be made once more */

        Link **items; /* sorted by ifindex */
        size_t n_items;
};

static Link *link_free(Link *l) {
        if (!l)
                return NULL;
        free(l->name);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(Link *, link_free)

static void report_bridge(const LinkWatch *w, const char *name) {
        if (!w->silent && w->handlers.on_bridge)
                w->handlers.on_bridge(name, w->handlers.userdata);
}

static void report_link(const LinkWatch *w, const Link *l) {
        if (!w->silent && w->handlers.on_link)
                w->handlers.on_link(l, w->handlers.userdata);
}

/*
 * The picture
 */

/* The place of ifindex, or the one where it would have to be put. */
static size_t search(const LinkWatch *w, unsigned ifindex, bool *ret_found) {
        size_t low = 0, high = w->n_items;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (w->items[middle]->ifindex < ifindex)
                        low = middle + 1;
                else
                        high = middle;
        }
        *ret_found = low < w->n_items && w->items[low]->ifindex == ifindex;
        return low;
}

static void drop(LinkWatch *w, size_t i) {
        _cleanup_(link_freep) Link *l = w->items[i];

        w->n_items--;
        memmove(w->items + i, w->items + i + 1, (w->n_items - i) * sizeof(*w->items));
        if (l->bridge)
                report_bridge(w, l->name);
}

static Link *insert(LinkWatch *w, size_t i, unsigned ifindex, const char *name) {
        _cleanup_(link_freep) Link *l = calloc(1, sizeof(*l));
        Link **items;

        if (!l)
                return NULL;
        l->ifindex = ifindex;
        l->name = strdup(name);
        if (!l->name)
                return NULL;
        items = reallocarray(w->items, w->n_items + 1, sizeof(*items));
        if (!items)
                return NULL;

        w->items = items;
        memmove(items + i + 1, items + i, (w->n_items - i) * sizeof(*items));
        w->n_items++;
        items[i] = TAKE_PTR(l);
        return items[i];
}

static int rename_link(LinkWatch *w, Link *l, const char *name) {
        _cleanup_free_ char *old = NULL;
        char *copy = strdup(name);

        if (!copy)
                return -ENOMEM;
        old = l->name;
        l->name = copy;
        if (l->bridge)
                report_bridge(w, old);
        return 0;
}

typedef struct LinkNews {
        unsigned ifindex, master;
        const char *name;
        bool up, bridge, tap;
} LinkNews;

static int take_news(LinkWatch *w, const LinkNews *news) {
        bool found, named, changed;
        size_t i = search(w, news->ifindex, &found);
        Link *l = found ? w->items[i] : insert(w, i, news->ifindex, news->name);

        if (!l)
                return -ENOMEM;
        named = !found || !streq(l->name, news->name);
        if (found && named && rename_link(w, l, news->name) < 0)
                return -ENOMEM;

        changed = named || l->up != news->up;
        l->up = news->up;
        l->bridge = news->bridge;
        l->tap = news->tap;
        l->master = news->master;
        l->seen = true;

        if (l->bridge && changed)
                report_bridge(w, l->name);
        if (!l->bridge && named)
                report_link(w, l);
        return 0;
}

/*
 * Messages
 */

static void on_new_link(struct nl_object *object, void *userdata) {
        struct rtnl_link *link = (struct rtnl_link *) object;
        const char *kind = rtnl_link_get_type(link);
        LinkWatch *w = userdata;
        const LinkNews news = {
                .ifindex = (unsigned) rtnl_link_get_ifindex(link),
                .master = (unsigned) rtnl_link_get_master(link),
                .name = rtnl_link_get_name(link),
                .up = rtnl_link_get_flags(link) & IFF_UP,
                .bridge = kind && streq(kind, "bridge"),
                .tap = kind && streq(kind, "tun") && rtnl_link_get_arptype(link) == ARPHRD_ETHER,
        };

        /* Without memory the picture is wrong from now on. */
        if (news.name && take_news(w, &news) < 0)
                w->interrupted = true;
}

static void on_del_link(LinkWatch *w, unsigned ifindex) {
        bool found;
        size_t i = search(w, ifindex, &found);

        if (found)
                drop(w, i);
}

static int on_message(struct nl_msg *msg, void *userdata) {
        const struct nlmsghdr *header = nlmsg_hdr(msg);
        const struct ifinfomsg *info = nlmsg_data(header);
        LinkWatch *w = userdata;

        if (!nlmsg_valid_hdr(header, sizeof(*info)))
                return NL_SKIP;

        /* Bridges send news of their ports to the same group, as messages of family AF_BRIDGE: a
         * "deleted" one is a port that was taken off (br_ifinfo_notify of net/bridge/br_netlink.c).
         */
        if (info->ifi_family != AF_UNSPEC)
                return NL_OK;

        if (header->nlmsg_type == RTM_NEWLINK)
                (void) nl_msg_parse(msg, on_new_link, w);
        else if (header->nlmsg_type == RTM_DELLINK)
                on_del_link(w, (unsigned) info->ifi_index);
        return NL_OK;
}

static int on_interrupted(struct nl_msg *msg, void *userdata) {
        LinkWatch *w = userdata;

        w->interrupted = true;
        return NL_OK;
}

/*
 * Dumps
 */

static void resync_later(LinkWatch *w) {
        w->dumping = false;
        (void) sd_event_source_set_time_relative(w->retry, RESYNC_USEC);
        (void) sd_event_source_set_enabled(w->retry, SD_EVENT_ONESHOT);
}

/* The answer arrives among the news, so that there is no moment of which nothing is known. */
static int start_dump(LinkWatch *w) {
        for (size_t i = 0; i < w->n_items; i++)
                w->items[i]->seen = false;
        w->interrupted = false;
        w->dumping = true;
        return nl_rtgen_request(w->socket, RTM_GETLINK, AF_UNSPEC, NLM_F_DUMP) < 0 ? -EIO : 0;
}

static int on_dumped(struct nl_msg *msg, void *userdata) {
        LinkWatch *w = userdata;

        if (!w->dumping)
                return NL_OK;
        if (w->interrupted) {
                resync_later(w);
                return NL_OK;
        }

        w->dumping = false;
        for (size_t i = w->n_items; i > 0; i--)
                if (!w->items[i - 1]->seen)
                        drop(w, i - 1);
        if (!w->silent && w->handlers.on_resync)
                w->handlers.on_resync(w->handlers.userdata);
        return NL_OK;
}

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata) {
        LinkWatch *w = userdata;

        if (start_dump(w) < 0)
                resync_later(w);
        return 0;
}

/* An overrun (ENOBUFS: more news than the buffer holds) comes as an error, as does a dump that the
 * kernel refuses: all of them mean that the picture has to be made anew. */
static void receive(LinkWatch *w) {
        int r;

        for (unsigned i = 0; i < RECEIVE_BATCH; i++) {
                r = nl_recvmsgs_default(w->socket);
                if (r == -NLE_AGAIN)
                        return;
                if (r < 0) {
                        log_debug("News of links were lost (%s), asking again", nl_geterror(r));
                        resync_later(w);
                        return;
                }
        }
}

static int on_readable(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        LinkWatch *w = userdata;

        receive(w);
        if (w->interrupted && !w->dumping)
                resync_later(w);
        return 0;
}

/*
 * The interface
 */

const Link *link_watch_by_ifindex(const LinkWatch *w, unsigned ifindex) {
        bool found;
        size_t i = search(w, ifindex, &found);

        return found ? w->items[i] : NULL;
}

const Link *link_watch_by_name(const LinkWatch *w, const char *name) {
        for (size_t i = 0; i < w->n_items; i++)
                if (streq(w->items[i]->name, name))
                        return w->items[i];
        return NULL;
}

const Link *const *link_watch_links(const LinkWatch *w, size_t *ret_n) {
        *ret_n = w->n_items;
        return (const Link *const *) w->items;
}

static int open_socket(LinkWatch *w) {
        const int size = RECEIVE_BUFFER;

        w->socket = nl_socket_alloc();
        if (!w->socket)
                return -ENOMEM;

        /* News carry sequence numbers of nobody's question. */
        nl_socket_disable_seq_check(w->socket);
        (void) nl_socket_modify_cb(w->socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, w);
        (void) nl_socket_modify_cb(w->socket, NL_CB_FINISH, NL_CB_CUSTOM, on_dumped, w);
        (void) nl_socket_modify_cb(w->socket, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, w);

        if (nl_connect(w->socket, NETLINK_ROUTE) < 0 ||
            nl_socket_add_memberships(w->socket, RTNLGRP_LINK, 0) < 0 ||
            nl_socket_set_nonblocking(w->socket) < 0)
                return -EIO;
        (void) setsockopt(nl_socket_get_fd(w->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size,
                          sizeof(size));
        return 0;
}

static int first_picture(LinkWatch *w) {
        int r = start_dump(w);

        if (r < 0)
                return r;
        w->silent = true;
        while (w->dumping && r >= 0)
                r = nl_recvmsgs_default(w->socket);
        w->silent = false;
        if (r < 0)
                resync_later(w);
        return 0;
}

int link_watch_new(sd_event *event, const LinkHandlers *handlers, LinkWatch **ret) {
        _cleanup_(link_watch_freep) LinkWatch *w = NULL;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->handlers = *handlers;

        r = open_socket(w);
        if (r >= 0)
                r = sd_event_add_io(event, &w->source, nl_socket_get_fd(w->socket), EPOLLIN,
                                    on_readable, w);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &w->retry, CLOCK_MONOTONIC, 0,
                                               RESYNC_ACCURACY_USEC, on_retry, w);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->retry, SD_EVENT_OFF);
        if (r >= 0)
                r = first_picture(w);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(w);
        return 0;
}

LinkWatch *link_watch_free(LinkWatch *w) {
        if (!w)
                return NULL;

        sd_event_source_disable_unref(w->source);
        sd_event_source_disable_unref(w->retry);
        nl_socket_free(w->socket);
        for (size_t i = 0; i < w->n_items; i++)
                link_free(w->items[i]);
        free(w->items);
        free(w);
        return NULL;
}

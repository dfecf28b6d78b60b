#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LinkWatch: a picture of the host's network links, kept up to date by rtnetlink(7), and reports of
 * the changes that matter.
 */

#include <systemd/sd-event.h>

#include "base/macro.h"

typedef struct LinkWatch LinkWatch;

typedef struct Link {
        unsigned ifindex;
        unsigned master; /* ifindex; 0: none */
        char *name;
        bool up; /* IFF_UP */
        bool bridge;
        bool tap;  /* as of a virtual machine; not a tun device */
        bool seen; /* by the dump that is being taken over */
} Link;

/* Handlers are called from the event loop, never from link_watch_new(). */
typedef struct LinkHandlers {
        /* A bridge appeared, went up or down, was renamed, or has gone. The name alone, since the
         * picture may be older than the kernel's: whoever acts asks the kernel. */
        void (*on_bridge)(const char *name, void *userdata);
        /* Some other link appeared or got this name. */
        void (*on_link)(const Link *link, void *userdata);
        /* Reports were lost, and the picture has been made anew. */
        void (*on_resync)(void *userdata);
        void *userdata;
} LinkHandlers;

/* Takes the picture at once: the kernel answers rtnetlink without waiting for anybody. */
int link_watch_new(sd_event *event, const LinkHandlers *handlers, LinkWatch **ret);

/* NULL: no such link. Valid until the event loop goes on. */
const Link *link_watch_by_name(const LinkWatch *w, const char *name);
const Link *link_watch_by_ifindex(const LinkWatch *w, unsigned ifindex);

/* All links, for callers that look for some kind of them. */
const Link *const *link_watch_links(const LinkWatch *w, size_t *ret_n);

LinkWatch *link_watch_free(LinkWatch *w);
DEFINE_CLEANUP(LinkWatch *, link_watch_free)

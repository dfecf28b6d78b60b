/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/libvirt_link.h"

#include <libvirt/libvirt.h>
#include <sys/queue.h>
#include <time.h>

#include "agent/api.h"
#include "agent/bridge_watch.h"
#include "agent/known_networks.h"
#include "agent/libvirt_thread.h"
#include "agent/tap_watch.h"
#include "base/log.h"
#include "base/name.h"

typedef struct LeasesRequest {
        uint64_t cookie;
        LeasesHandler handler;
        void *userdata;
        TAILQ_ENTRY(LeasesRequest) entry;
} LeasesRequest;

struct LibvirtLink {
        Manager *m;
        LibvirtThread *thread;
        sd_event_source *source;
        bool connected;
        bool tried; /* the first attempt to connect has ended */
        bool complained;
        unsigned long version;

        uint64_t list_usec;   /* of the list that m->networks shows; 0: none */
        uint64_t sent_usec;   /* when the request that is on its way was sent; 0: none is */
        uint64_t wanted_usec; /* when somebody last asked for a list */
        bool ever_listed;

        LibvirtNetworks known;                /* as in libvirt's files at first, then as saved */
        LibvirtNetworks generated;            /* what the generator's present work is based on */
        TAILQ_HEAD(, LeasesRequest) requests; /* oldest first, as they are answered */
        uint64_t last_cookie;
};

static uint64_t now_usec(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

/*
 * The list
 */

static void send_relist(LibvirtLink *l) {
        LibvirtMessage *m = libvirt_message_new(LIBVIRT_RELIST);

        if (!m)
                return;
        /* Without a connection there may never be an answer; with the next one a list comes
         * unasked. */
        if (l->connected)
                l->sent_usec = now_usec();
        libvirt_thread_push(l->thread, m);
}

void libvirt_link_relist(LibvirtLink *l) {
        l->wanted_usec = now_usec();
        if (l->sent_usec == 0)
                send_relist(l);
}

/* A list that was begun before the request was made does not answer it. */
static void relist_answered(LibvirtLink *l, uint64_t asked_usec) {
        if (asked_usec < l->sent_usec)
                return;
        l->sent_usec = 0;
        if (asked_usec < l->wanted_usec)
                send_relist(l);
}

/*
 * What the generator knows
 */

static void save_known(const LibvirtLink *l) {
        int r = libvirt_networks_save(l->m->root, (const NetworkDef *const *) l->known.items,
                                      l->known.n_items);

        if (r < 0)
                log_error_errno(r, "Failed to write down libvirt's networks");
}

static void known_changed(LibvirtLink *l) {
        _cleanup_libvirt_networks_ LibvirtNetworks known = { 0 };

        if (known_networks_copy(&l->m->networks, &known) < 0 ||
            known_networks_equal(&known, &l->known))
                return;

        libvirt_networks_done(&l->known);
        l->known = known;
        known = (LibvirtNetworks){ 0 };
        save_known(l);
        if (!known_networks_matter(&l->generated, &l->known, &l->m->containers))
                return;

        libvirt_networks_done(&l->generated);
        if (known_networks_copy(&l->m->networks, &l->generated) >= 0)
                manager_request_reload(l->m);
}

/*
 * The table
 */

static int replace_string(char **p, char **value) {
        if (streq_ptr(*p, *value))
                return 0;
        free(*p);
        *p = TAKE_PTR(*value);
        return 1;
}

/* Takes the strings over. */
static void network_set(Network *n, NetworkFacts *f) {
        (void) replace_string(&n->bridge, &f->bridge);
        (void) replace_string(&n->forward_mode, &f->forward_mode);
        n->uuid = f->uuid;
        n->active = f->active;
        n->persistent = f->persistent;
        n->autostart = f->autostart;
        n->asked_usec = f->asked_usec;
        n->seen = true;
}

/* Takes the facts over; the old bridge of a network that moved has to be looked at, too. */
static Network *take_facts(LibvirtLink *l, NetworkFacts *f) {
        _cleanup_free_ char *old_bridge = NULL;
        Network *n;

        if (!network_name_is_valid(f->name))
                return NULL;
        n = network_table_add(&l->m->networks, f->name);
        if (!n)
                return NULL;

        if (n->bridge && !streq_ptr(n->bridge, f->bridge))
                old_bridge = strdup(n->bridge);
        network_set(n, f);
        if (old_bridge)
                bridge_watch_check(l->m->bridges, old_bridge);
        return n;
}

static void drop_network(LibvirtLink *l, Network *n) {
        _cleanup_free_ char *bridge = TAKE_PTR(n->bridge);

        network_table_remove(&l->m->networks, n);
        if (bridge)
                bridge_watch_check(l->m->bridges, bridge);
}

/* What a list shows to have happened without an event. NULL: nothing. */
static const char *silent_event(const Network *before, const NetworkFacts *f) {
        if (before && uuid_equal(&before->uuid, &f->uuid) && before->active == f->active)
                return NULL;
        if (f->active)
                return CTVIRT_EVENT_STARTED;
        return before && before->active ? CTVIRT_EVENT_STOPPED : CTVIRT_EVENT_DEFINED;
}

static void take_listed(LibvirtLink *l, NetworkFacts *f) {
        Network *n = network_table_by_name(&l->m->networks, f->name);
        const char *event = silent_event(n, f);

        n = take_facts(l, f);
        if (!n || !event || !l->ever_listed)
                return;
        n->told = event;
        manager_on_network(l->m, n, event);
}

static void drop_unlisted(LibvirtLink *l) {
        NetworkTable *t = &l->m->networks;

        for (size_t i = t->n_items; i > 0; i--) {
                Network *n = t->items[i - 1];

                if (n->seen)
                        continue;
                n->active = false;
                manager_on_network(l->m, n, CTVIRT_EVENT_UNDEFINED);
                drop_network(l, n);
        }
}

/*
 * Messages
 */

static void on_connected(LibvirtLink *l, const LibvirtMessage *m) {
        log_info("Connected to libvirt %lu.%lu.%lu", m->version / 1000000, m->version / 1000 % 1000,
                 m->version % 1000);
        l->connected = l->tried = true;
        l->complained = false;
        l->version = m->version;
}

static void on_disconnected(LibvirtLink *l, const LibvirtMessage *m) {
        log_notice("Not connected to libvirt: %s", m->text ? m->text : "no reason given");
        l->connected = false;
        l->tried = true;
        l->version = 0;
        l->list_usec = l->sent_usec = 0;
        l->m->networks_known = false;
        bridge_watch_check_all(l->m->bridges);
}

static void on_networks(LibvirtLink *l, const LibvirtMessage *m) {
        NetworkTable *t = &l->m->networks;

        for (size_t i = 0; i < t->n_items; i++)
                t->items[i]->seen = false;
        for (size_t i = 0; i < m->n_networks; i++)
                take_listed(l, m->networks + i);
        drop_unlisted(l);

        l->complained = false;
        l->ever_listed = true;
        l->list_usec = m->asked_usec;
        l->m->networks_known = true;
        relist_answered(l, m->asked_usec);

        known_changed(l);
        manager_on_networks_listed(l->m);
        bridge_watch_check_all(l->m->bridges);
}

static void on_list_failed(LibvirtLink *l, const LibvirtMessage *m) {
        if (!l->complained)
                log_warning("libvirt does not list its networks: %s", m->text ? m->text : "");
        l->complained = true;
}

static const char *event_word(int event) {
        switch ((virNetworkEventLifecycleType) event) {
        case VIR_NETWORK_EVENT_DEFINED:
                return CTVIRT_EVENT_DEFINED;
        case VIR_NETWORK_EVENT_UNDEFINED:
                return CTVIRT_EVENT_UNDEFINED;
        case VIR_NETWORK_EVENT_STARTED:
                return CTVIRT_EVENT_STARTED;
        case VIR_NETWORK_EVENT_STOPPED:
                return CTVIRT_EVENT_STOPPED;
        default: /* libvirt's enum, and newer versions may have more */
                return NULL;
        }
}

/* A list may show the outcome of what the event, which comes later, is about. */
static void tell_event(LibvirtLink *l, Network *n, const char *word) {
        bool told = word && streq_ptr(n->told, word);

        n->told = NULL;
        if (word && !told)
                manager_on_network(l->m, n, word);
}

/* The facts are younger than the event, and are what counts: a network that was stopped and started
 * again is active in both facts. */
static void on_network_event(LibvirtLink *l, LibvirtMessage *m) {
        NetworkFacts *f = m->networks;
        const char *word = event_word(m->event);
        Network *n = network_table_by_name(&l->m->networks, f->name);

        if (f->exists)
                n = take_facts(l, f);
        else if (n && !uuid_equal(&n->uuid, &f->uuid))
                n = NULL; /* its name has a new owner */
        if (!n)
                return;

        if (!f->exists)
                n->active = false;
        tell_event(l, n, word);
        if (!f->exists) {
                drop_network(l, n);
                known_changed(l);
                return;
        }
        known_changed(l);
        if (n->bridge)
                bridge_watch_check(l->m->bridges, n->bridge);
}

static LeasesRequest *take_request(LibvirtLink *l, uint64_t cookie) {
        LeasesRequest *found;

        TAILQ_FOREACH(found, &l->requests, entry) {
                if (found->cookie != cookie)
                        continue;
                TAILQ_REMOVE(&l->requests, found, entry);
                return found;
        }
        return NULL;
}

static void on_leases(LibvirtLink *l, const LibvirtMessage *m) {
        _cleanup_free_ LeasesRequest *r = take_request(l, m->cookie);

        if (r)
                r->handler(m->error, m->text, m->leases, m->n_leases, r->userdata);
}

static void dispatch(LibvirtLink *l, LibvirtMessage *m) {
        switch (m->type) {
        case LIBVIRT_CONNECTED:
                on_connected(l, m);
                return;
        case LIBVIRT_DISCONNECTED:
                on_disconnected(l, m);
                return;
        case LIBVIRT_NETWORKS:
                on_networks(l, m);
                return;
        case LIBVIRT_LIST_FAILED:
                on_list_failed(l, m);
                return;
        case LIBVIRT_NETWORK_EVENT:
                on_network_event(l, m);
                return;
        case LIBVIRT_LEASES:
                on_leases(l, m);
                return;
        case LIBVIRT_TAPS:
                if (l->m->taps)
                        tap_watch_on_taps(l->m->taps, m);
                return;
        case LIBVIRT_RELIST:
        case LIBVIRT_GET_LEASES:
        case LIBVIRT_GET_TAPS:
        case LIBVIRT_QUIT:
                return;
        }
}

static int on_readable(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        LibvirtLink *l = userdata;

        for (LibvirtMessage *m = libvirt_thread_take(l->thread), *next; m; m = next) {
                next = m->next;
                dispatch(l, m);
                libvirt_message_free(m);
        }
        return 0;
}

/*
 * The interface
 */

int libvirt_link_get_leases(LibvirtLink *l, const char *network, LeasesHandler handler,
                            void *userdata) {
        _cleanup_(libvirt_message_freep) LibvirtMessage *m = NULL;
        LeasesRequest *request;

        if (!l->connected)
                return -ENOTCONN;

        m = libvirt_message_new(LIBVIRT_GET_LEASES);
        if (m)
                m->name = strdup(network);
        request = m && m->name ? calloc(1, sizeof(*request)) : NULL;
        if (!request)
                return -ENOMEM;

        *request = (LeasesRequest){
                .cookie = ++l->last_cookie,
                .handler = handler,
                .userdata = userdata,
        };
        TAILQ_INSERT_TAIL(&l->requests, request, entry);
        m->cookie = request->cookie;
        libvirt_thread_push(l->thread, TAKE_PTR(m));
        return 0;
}

int libvirt_link_get_taps(LibvirtLink *l, const char *uri) {
        _cleanup_(libvirt_message_freep) LibvirtMessage *m = libvirt_message_new(LIBVIRT_GET_TAPS);

        if (m)
                m->name = strdup(uri);
        if (!m || !m->name)
                return -ENOMEM;
        libvirt_thread_push(l->thread, TAKE_PTR(m));
        return 0;
}

bool libvirt_link_is_connected(LibvirtLink *l) {
        return l->connected;
}

unsigned long libvirt_link_version(LibvirtLink *l) {
        return l->version;
}

bool libvirt_link_may_answer(const LibvirtLink *l) {
        return l->connected || !l->tried;
}

uint64_t libvirt_link_list_usec(const LibvirtLink *l) {
        return l->list_usec;
}

bool libvirt_link_manages_bridge(const LibvirtLink *l, const char *bridge) {
        if (network_table_by_bridge(&l->m->networks, bridge))
                return true;
        return !l->ever_listed && libvirt_networks_by_bridge(&l->known, bridge);
}

int libvirt_link_new(Manager *m, LibvirtLink **ret) {
        _cleanup_(libvirt_link_freep) LibvirtLink *l = NULL;
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->m = m;
        TAILQ_INIT(&l->requests);

        r = libvirt_networks_load(m->root, &l->known);
        if (r >= 0)
                r = libvirt_networks_load(m->root, &l->generated);
        if (r >= 0)
                r = libvirt_thread_new(m->libvirt_uri, &l->thread);
        if (r >= 0)
                r = sd_event_add_io(m->event, &l->source, libvirt_thread_fd(l->thread), EPOLLIN,
                                    on_readable, l);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(l);
        return 0;
}

LibvirtLink *libvirt_link_free(LibvirtLink *l) {
        if (!l)
                return NULL;

        for (LeasesRequest *r; (r = TAILQ_FIRST(&l->requests));) {
                TAILQ_REMOVE(&l->requests, r, entry);
                r->handler(-ECANCELED, NULL, NULL, 0, r->userdata);
                free(r);
        }
        sd_event_source_disable_unref(l->source);
        libvirt_thread_free(l->thread);
        libvirt_networks_done(&l->known);
        libvirt_networks_done(&l->generated);
        free(l);
        return NULL;
}

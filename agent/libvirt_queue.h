#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LibvirtQueue: one direction of the talk between main loop and libvirt thread. Whole messages
 * change hands; nothing in them is shared afterwards.
 */

#include <pthread.h>

#include "agent/lease.h"
#include "base/uuid.h"
#include "xml/domain_taps.h"

typedef enum LibvirtMessageType {
        /* to the thread */
        LIBVIRT_RELIST,     /* -> NETWORKS or LIST_FAILED; not connected: connect now */
        LIBVIRT_GET_LEASES, /* name, cookie -> LEASES */
        LIBVIRT_GET_TAPS,   /* name: the URI to be asked -> TAPS */
        LIBVIRT_QUIT,

        /* from the thread */
        LIBVIRT_CONNECTED,     /* version */
        LIBVIRT_DISCONNECTED,  /* text; also when the first attempt to connect has failed */
        LIBVIRT_NETWORKS,      /* networks: all there are; asked_usec */
        LIBVIRT_LIST_FAILED,   /* text; the thread tries again by itself */
        LIBVIRT_NETWORK_EVENT, /* event, and networks[0]: its facts; !exists if it has gone */
        LIBVIRT_LEASES,        /* cookie, and leases or error and text */
        LIBVIRT_TAPS,          /* taps of all running machines, or error and text */
} LibvirtMessageType;

typedef struct NetworkFacts {
        char *name;
        Uuid uuid;
        bool exists;
        bool active;
        bool persistent;
        bool autostart;
        char *bridge;
        char *forward_mode;
        uint64_t asked_usec; /* CLOCK_MONOTONIC before the first of these questions */
} NetworkFacts;

typedef struct LibvirtMessage LibvirtMessage;
struct LibvirtMessage {
        LibvirtMessage *next;
        LibvirtMessageType type;
        uint64_t cookie;
        uint64_t asked_usec;
        unsigned long version; /* virConnectGetLibVersion() */
        int event;             /* virNetworkEventLifecycleType */
        int error;             /* negative errno */
        char *name;
        char *text;
        NetworkFacts *networks;
        size_t n_networks;
        Lease *leases;
        size_t n_leases;
        DomainTaps taps;
};

typedef struct LibvirtQueue {
        pthread_mutex_t mutex;
        LibvirtMessage *first, *last;
        int fd; /* eventfd(2): readable while the queue may have messages */
} LibvirtQueue;

int libvirt_queue_init(LibvirtQueue *q);

/* Frees what nobody has taken. */
void libvirt_queue_done(LibvirtQueue *q);

/* Takes m over; never fails and never waits longer than for the other side's few instructions. */
void libvirt_queue_push(LibvirtQueue *q, LibvirtMessage *m);

/* Up to max messages, oldest first, as a list; NULL: none. The fd stays readable if there are more.
 */
LibvirtMessage *libvirt_queue_take(LibvirtQueue *q, size_t max);

/* NULL: no memory. */
LibvirtMessage *libvirt_message_new(LibvirtMessageType type);

/* Frees this one, not the list that it is in. */
LibvirtMessage *libvirt_message_free(LibvirtMessage *m);
DEFINE_CLEANUP(LibvirtMessage *, libvirt_message_free)

void network_facts_done(NetworkFacts *f);

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/libvirt_queue.h"

#include <sys/eventfd.h>

void network_facts_done(NetworkFacts *f) {
        free(f->name);
        free(f->bridge);
        free(f->forward_mode);
        *f = (NetworkFacts){ 0 };
}

LibvirtMessage *libvirt_message_new(LibvirtMessageType type) {
        LibvirtMessage *m = calloc(1, sizeof(*m));

        if (m)
                m->type = type;
        return m;
}

LibvirtMessage *libvirt_message_free(LibvirtMessage *m) {
        if (!m)
                return NULL;
        for (size_t i = 0; i < m->n_networks; i++)
                network_facts_done(m->networks + i);
        free(m->networks);
        lease_array_free(m->leases, m->n_leases);
        domain_taps_done(&m->taps);
        free(m->name);
        free(m->text);
        free(m);
        return NULL;
}

int libvirt_queue_init(LibvirtQueue *q) {
        int r;

        *q = (LibvirtQueue){ .fd = -1 };
        r = pthread_mutex_init(&q->mutex, NULL);
        if (r != 0)
                return -r;
        q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (q->fd < 0) {
                r = negative_errno();
                (void) pthread_mutex_destroy(&q->mutex);
        }
        return r;
}

void libvirt_queue_done(LibvirtQueue *q) {
        for (LibvirtMessage *m = q->first, *next; m; m = next) {
                next = m->next;
                libvirt_message_free(m);
        }
        closep(&q->fd);
        (void) pthread_mutex_destroy(&q->mutex);
        *q = (LibvirtQueue){ .fd = -1 };
}

void libvirt_queue_push(LibvirtQueue *q, LibvirtMessage *m) {
        assert(!m->next);

        (void) pthread_mutex_lock(&q->mutex);
        if (q->last)
                q->last->next = m;
        else
                q->first = m;
        q->last = m;
        (void) pthread_mutex_unlock(&q->mutex);

        /* Fails only at 2^64-2 unread messages (eventfd(2)). */
        (void) eventfd_write(q->fd, 1);
}

/* With the mutex held. */
static LibvirtMessage *cut_off(LibvirtQueue *q, size_t max) {
        LibvirtMessage *first = q->first, *last = first;

        while (last && last->next && --max > 0)
                last = last->next;
        q->first = last ? TAKE_PTR(last->next) : NULL;
        if (!q->first)
                q->last = NULL;
        return first;
}

LibvirtMessage *libvirt_queue_take(LibvirtQueue *q, size_t max) {
        LibvirtMessage *m;
        eventfd_t count;
        bool more;

        assert(max > 0);

        /* Before the messages: what is pushed in between makes the fd readable again. */
        (void) eventfd_read(q->fd, &count);

        (void) pthread_mutex_lock(&q->mutex);
        m = cut_off(q, max);
        more = q->first;
        (void) pthread_mutex_unlock(&q->mutex);
        if (more)
                (void) eventfd_write(q->fd, 1);
        return m;
}

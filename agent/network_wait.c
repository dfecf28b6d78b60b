/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/network_wait.h"

#include "agent/api.h"
#include "agent/libvirt_link.h"

#define WAIT_USEC (UINT64_C(2) * 1000 * 1000)
#define WAIT_ACCURACY_USEC (UINT64_C(10) * 1000)

/* Owned by the request, by its on_end. */
typedef struct NetworkWait {
        Request *request;
        sd_event_source *timer;
} NetworkWait;

static void network_wait_free(void *userdata) {
        NetworkWait *w = userdata;

        sd_event_source_disable_unref(w->timer);
        free(w);
}

static int on_overdue(sd_event_source *source, uint64_t usec, void *userdata) {
        const NetworkWait *w = userdata;
        Request *request = w->request;
        const Manager *m = request->manager;

        if (libvirt_link_is_connected(m->libvirt))
                request_fail(request, CTVIRT_ERROR_OPERATION_FAILED,
                             "libvirt (%s) has not listed its networks yet", m->libvirt_uri);
        else
                request_fail(request, CTVIRT_ERROR_OPERATION_FAILED,
                             "not connected to libvirt (%s); is its daemon there? systemctl start "
                             "libvirtd (or virtnetworkd)",
                             m->libvirt_uri);
        return 0;
}

static int start_wait(Request *request) {
        NetworkWait *w = calloc(1, sizeof(*w));

        if (!w)
                return -ENOMEM;
        w->request = request;
        request->on_end = network_wait_free;
        request->userdata = w;
        return sd_event_add_time_relative(request->manager->event, &w->timer, CLOCK_MONOTONIC,
                                          WAIT_USEC, WAIT_ACCURACY_USEC, on_overdue, w);
}

void network_wait(Request *request, RequestStep next) {
        int r;

        request->next = next;
        if (request->manager->networks_known) {
                next(request);
                return;
        }
        r = start_wait(request);
        if (r < 0) {
                request_fail_errno(request, r, NULL);
                return;
        }
        /* libvirt may be back, and the next attempt to connect a while away. */
        libvirt_link_relist(request->manager->libvirt);
}

void network_wait_listed(Manager *m) {
        Request *following;

        for (Request *request = TAILQ_FIRST(&m->requests); request; request = following) {
                following = TAILQ_NEXT(request, entry);
                if (request->on_end != network_wait_free)
                        continue;
                request->on_end = NULL;
                network_wait_free(request->userdata);
                request->next(request);
        }
}

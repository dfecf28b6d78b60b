/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/libvirt_thread.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <signal.h>
#include <time.h>

#include "agent/libvirt_facts.h"

#define DEFAULT_URI "network:///system"
#define RETRY_FIRST_MSEC 100
#define RETRY_MAX_MSEC 30000
#define JOIN_MSEC 500
#define TAKE_MAX 64

typedef struct PendingEvent PendingEvent;
struct PendingEvent {
        PendingEvent *next;
        virNetworkPtr network;
        int event;
};

struct LibvirtThread {
        pthread_t id;
        char *uri;
        LibvirtQueue in, out;

        /* The rest belongs to the thread. libvirt's callbacks only write down what happened; it is
         * worked on afterwards, on a clean stack. */
        virConnectPtr conn;
        int event_id;
        int timer;
        int retry_msec;
        bool told_disconnected;
        bool connect_due;
        bool list_due;
        bool lost;
        bool quit;
        const char *lost_reason;
        PendingEvent *events, **events_end;
        LibvirtMessage *questions, **questions_end;
};

static uint64_t now_usec(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

/* virSetErrorFunc(3): without one of its own a program gets every error on stderr. */
static void be_silent(void *userdata, virErrorPtr error) {
}

static char *error_text(void) {
        const char *text = virGetLastErrorMessage();

        return strdup(text ? text : "no error given");
}

static void send_text(LibvirtThread *t, LibvirtMessageType type, char *text) {
        LibvirtMessage *m = libvirt_message_new(type);

        if (!m) {
                free(text);
                return;
        }
        m->text = text;
        libvirt_queue_push(&t->out, m);
}

/*
 * What libvirt's event loop calls
 */

static void on_message(int watch, int fd, int events, void *userdata) {
        LibvirtThread *t = userdata;

        for (LibvirtMessage *m = libvirt_queue_take(&t->in, SIZE_MAX), *next; m; m = next) {
                next = TAKE_PTR(m->next);
                if (m->type == LIBVIRT_GET_LEASES || m->type == LIBVIRT_GET_TAPS) {
                        *t->questions_end = m;
                        t->questions_end = &m->next;
                        continue;
                }
                t->list_due |= m->type == LIBVIRT_RELIST;
                t->connect_due |= m->type == LIBVIRT_RELIST;
                t->quit |= m->type == LIBVIRT_QUIT;
                libvirt_message_free(m);
        }
}

static void on_timer(int timer, void *userdata) {
        LibvirtThread *t = userdata;

        virEventUpdateTimeout(timer, -1);
        t->connect_due = t->list_due = true;
}

static void on_close(virConnectPtr conn, int reason, void *userdata) {
        LibvirtThread *t = userdata;

        t->lost = true;
        switch ((virConnectCloseReason) reason) {
        case VIR_CONNECT_CLOSE_REASON_EOF:
                t->lost_reason = "end of file";
                return;
        case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
                t->lost_reason = "no answer to keepalive messages";
                return;
        default: /* libvirt's enum, and newer versions may have more */
                t->lost_reason = "connection error";
                return;
        }
}

static void on_network_event(virConnectPtr conn, virNetworkPtr network, int event, int detail,
                             void *userdata) {
        LibvirtThread *t = userdata;
        PendingEvent *e = calloc(1, sizeof(*e));

        if (!e || virNetworkRef(network) < 0) {
                free(e);
                t->list_due = true;
                return;
        }
        e->network = network;
        e->event = event;
        *t->events_end = e;
        t->events_end = &e->next;
}

/*
 * Connection
 */

static PendingEvent *pop_event(LibvirtThread *t) {
        PendingEvent *e = t->events;

        if (!e)
                return NULL;
        t->events = e->next;
        if (!t->events)
                t->events_end = &t->events;
        return e;
}

static void free_event(PendingEvent *e) {
        (void) virNetworkFree(e->network);
        free(e);
}

static void close_connection(LibvirtThread *t) {
        for (PendingEvent *e; (e = pop_event(t));)
                free_event(e);
        t->lost = false;
        if (!t->conn)
                return;

        if (t->event_id >= 0)
                (void) virConnectNetworkEventDeregisterAny(t->conn, t->event_id);
        (void) virConnectUnregisterCloseCallback(t->conn, on_close);
        (void) virConnectClose(t->conn);
        t->conn = NULL;
        t->event_id = -1;
        t->lost = false;
}

static void retry_later(LibvirtThread *t) {
        virEventUpdateTimeout(t->timer, t->retry_msec);
        t->retry_msec = t->retry_msec * 2 < RETRY_MAX_MSEC ? t->retry_msec * 2 : RETRY_MAX_MSEC;
}

/* The owner is told once; how often the thread has tried since is nobody's business. */
static void disconnected(LibvirtThread *t, char *reason) {
        close_connection(t);
        retry_later(t);
        if (t->told_disconnected) {
                free(reason);
                return;
        }
        t->told_disconnected = true;
        send_text(t, LIBVIRT_DISCONNECTED, reason);
}

/* First the callbacks, then the list: what happens in between is reported by one of the two. */
static int open_connection(LibvirtThread *t, unsigned long *ret_version) {
        t->conn = virConnectOpen(t->uri);
        if (!t->conn)
                return -EIO;
        if (virConnectRegisterCloseCallback(t->conn, on_close, t, NULL) < 0)
                return -EIO;
        t->event_id = virConnectNetworkEventRegisterAny(
                t->conn, NULL, VIR_NETWORK_EVENT_ID_LIFECYCLE,
                VIR_NETWORK_EVENT_CALLBACK(on_network_event), t, NULL);
        if (t->event_id < 0)
                return -EIO;
        return virConnectGetLibVersion(t->conn, ret_version) < 0 ? -EIO : 0;
}

static void do_connect(LibvirtThread *t) {
        LibvirtMessage *m;
        unsigned long version = 0;

        virEventUpdateTimeout(t->timer, -1);
        if (open_connection(t, &version) < 0) {
                disconnected(t, error_text());
                return;
        }

        t->told_disconnected = false;
        t->list_due = true;
        m = libvirt_message_new(LIBVIRT_CONNECTED);
        if (!m) {
                disconnected(t, NULL);
                return;
        }
        m->version = version;
        libvirt_queue_push(&t->out, m);
}

/*
 * Answers
 */

/* A call that failed may have found the connection dead before the event loop did. */
static void look_for_life(LibvirtThread *t) {
        if (t->lost || virConnectIsAlive(t->conn) > 0)
                return;
        t->lost = true;
        t->lost_reason = "connection is dead";
}

static void do_list(LibvirtThread *t) {
        _cleanup_(libvirt_message_freep) LibvirtMessage *m = libvirt_message_new(LIBVIRT_NETWORKS);
        int r = -ENOMEM;

        t->list_due = false;
        if (m) {
                m->asked_usec = now_usec();
                r = libvirt_facts_list(t->conn, &m->networks, &m->n_networks);
        }
        if (r < 0) {
                send_text(t, LIBVIRT_LIST_FAILED, r == -EIO ? error_text() : strdup(strerror(-r)));
                look_for_life(t);
                if (!t->lost)
                        retry_later(t);
                return;
        }

        t->retry_msec = RETRY_FIRST_MSEC;
        libvirt_queue_push(&t->out, TAKE_PTR(m));
}

/* An event whose facts cannot be had is answered by a list. */
static void do_event(LibvirtThread *t, const PendingEvent *e) {
        _cleanup_(libvirt_message_freep) LibvirtMessage *m = NULL;

        m = libvirt_message_new(LIBVIRT_NETWORK_EVENT);
        if (m)
                m->networks = calloc(1, sizeof(*m->networks));
        if (!m || !m->networks) {
                t->list_due = true;
                return;
        }

        m->event = e->event;
        m->n_networks = 1;
        if (libvirt_facts_of(e->network, m->networks) < 0) {
                t->list_due = true;
                look_for_life(t);
                return;
        }
        libvirt_queue_push(&t->out, TAKE_PTR(m));
}

/* The question's own message becomes its answer, so that there is always one. */
static void do_leases(LibvirtThread *t, LibvirtMessage *m) {
        int r = -ENOTCONN;

        if (t->conn)
                r = libvirt_facts_leases(t->conn, m->name, &m->leases, &m->n_leases);
        if (r == -EIO || r == -ENXIO) {
                m->text = error_text();
                look_for_life(t);
        }

        m->error = r;
        m->type = LIBVIRT_LEASES;
        libvirt_queue_push(&t->out, m);
}

/* Over a connection of its own, which lives no longer than this: taps are asked for seldom, and a
 * connection that stays keeps a daemon from ending when it is idle. */
static void do_taps(LibvirtThread *t, LibvirtMessage *m) {
        virConnectPtr conn = virConnectOpen(m->name);
        int r = conn ? libvirt_facts_taps(conn, &m->taps) : -EIO;

        if (r == -EIO)
                m->text = error_text();
        if (conn)
                (void) virConnectClose(conn);
        m->error = r;
        m->type = LIBVIRT_TAPS;
        libvirt_queue_push(&t->out, m);
}

static void do_question(LibvirtThread *t, LibvirtMessage *m) {
        if (m->type == LIBVIRT_GET_TAPS)
                do_taps(t, m);
        else
                do_leases(t, m);
}

static LibvirtMessage *pop_question(LibvirtThread *t) {
        LibvirtMessage *m = t->questions;

        if (!m)
                return NULL;
        t->questions = TAKE_PTR(m->next);
        if (!t->questions)
                t->questions_end = &t->questions;
        return m;
}

static void work(LibvirtThread *t) {
        if (t->lost)
                disconnected(t, strdup(t->lost_reason));
        if (t->connect_due && !t->conn)
                do_connect(t);
        t->connect_due = false;

        for (PendingEvent *e; t->conn && (e = pop_event(t));) {
                do_event(t, e);
                free_event(e);
        }
        if (t->conn && t->list_due)
                do_list(t);
        for (LibvirtMessage *m; (m = pop_question(t));)
                do_question(t, m);

        /* Noticed in one of the calls above: the event loop may have nothing more to say about it.
         */
        if (t->lost)
                disconnected(t, strdup(t->lost_reason));
}

static void nothing(int timer, void *userdata) {
}

/* virConnectClose() leaves work to the event loop, which does not run without something to wait
 * for. */
static void run_leftovers(void) {
        int timer = virEventAddTimeout(0, nothing, NULL, NULL);

        if (timer < 0)
                return;
        for (unsigned i = 0; i < 3; i++)
                (void) virEventRunDefaultImpl();
        (void) virEventRemoveTimeout(timer);
        (void) virEventRunDefaultImpl();
}

static void *thread_main(void *userdata) {
        LibvirtThread *t = userdata;
        int watch;

        (void) pthread_setname_np(pthread_self(), "libvirt");
        watch = virEventAddHandle(t->in.fd, VIR_EVENT_HANDLE_READABLE, on_message, t, NULL);
        t->timer = virEventAddTimeout(0, on_timer, t, NULL);
        if (watch < 0 || t->timer < 0)
                send_text(t, LIBVIRT_DISCONNECTED, error_text());

        while (!t->quit && watch >= 0 && t->timer >= 0 && virEventRunDefaultImpl() >= 0)
                if (!t->quit)
                        work(t);

        close_connection(t);
        if (t->timer >= 0)
                (void) virEventRemoveTimeout(t->timer);
        if (watch >= 0)
                (void) virEventRemoveHandle(watch);
        run_leftovers();
        return NULL;
}

/*
 * The owner's side
 */

/* libvirt's event loop must be there before the first connection, and can be set only once a
 * process. libxml2 wants its globals made before there are two threads (xmlInitParser). */
static void initialize(void) {
        xmlInitParser();
        (void) virInitialize();
        virSetErrorFunc(NULL, be_silent);
        (void) virEventRegisterDefaultImpl();
}

static int start_thread(LibvirtThread *t) {
        sigset_t all, before;
        int r;

        /* Signals are the main loop's (signalfd). */
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&t->id, NULL, thread_main, t);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        return -r;
}

static LibvirtThread *destroy(LibvirtThread *t) {
        for (LibvirtMessage *m; (m = pop_question(t));)
                libvirt_message_free(m);
        libvirt_queue_done(&t->in);
        libvirt_queue_done(&t->out);
        free(t->uri);
        free(t);
        return NULL;
}
DEFINE_CLEANUP(LibvirtThread *, destroy)

int libvirt_thread_new(const char *uri, LibvirtThread **ret) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        _cleanup_(destroyp) LibvirtThread *t = NULL;
        int r;

        (void) pthread_once(&once, initialize);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->in.fd = t->out.fd = t->event_id = t->timer = -1;
        t->retry_msec = RETRY_FIRST_MSEC;
        t->events_end = &t->events;
        t->questions_end = &t->questions;

        r = libvirt_queue_init(&t->in);
        if (r >= 0)
                r = libvirt_queue_init(&t->out);
        if (r < 0)
                return r;
        t->uri = strdup(uri ? uri : DEFAULT_URI);
        if (!t->uri)
                return -ENOMEM;
        r = start_thread(t);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(t);
        return 0;
}

void libvirt_thread_push(LibvirtThread *t, LibvirtMessage *m) {
        libvirt_queue_push(&t->in, m);
}

int libvirt_thread_fd(const LibvirtThread *t) {
        return t->out.fd;
}

LibvirtMessage *libvirt_thread_take(LibvirtThread *t) {
        return libvirt_queue_take(&t->out, TAKE_MAX);
}

static int join(pthread_t id, unsigned msec) {
        struct timespec end = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_nsec += (long) msec * 1000000;
        end.tv_sec += end.tv_nsec / 1000000000;
        end.tv_nsec %= 1000000000;
        return -pthread_clockjoin_np(id, NULL, CLOCK_MONOTONIC, &end);
}

LibvirtThread *libvirt_thread_free(LibvirtThread *t) {
        LibvirtMessage *m;

        if (!t)
                return NULL;

        m = libvirt_message_new(LIBVIRT_QUIT);
        if (!m)
                return NULL;
        libvirt_queue_push(&t->in, m);

        /* Inside a libvirt call: what it holds stays as it is until the process ends. */
        if (join(t->id, JOIN_MSEC) < 0) {
                (void) pthread_detach(t->id);
                return NULL;
        }
        return destroy(t);
}

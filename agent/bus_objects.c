/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bus_objects.h"

#include <inttypes.h>
#include <sys/socket.h>
#include <systemd/sd-id128.h>

#include "agent/api.h"

int bus_objects_add(sd_bus *bus, Manager *m) {
        int r;

        r = manager_bus_add(bus, m);
        if (r >= 0)
                r = container_bus_add(bus, m);
        if (r >= 0)
                r = network_bus_add(bus, m);
        if (r >= 0)
                r = job_bus_add(bus, m);
        return r < 0 ? r : pool_bus_add(bus, m);
}

int bus_check_flags(uint64_t flags, uint64_t known, sd_bus_error *ret_error) {
        if ((flags & ~known) == 0)
                return 0;
        return sd_bus_error_setf(ret_error, SD_BUS_ERROR_INVALID_ARGS, "unknown flags 0x%" PRIx64,
                                 flags & ~known);
}

/*
 * Introspection: a server with the real objects and a client, on the two ends of a socket pair.
 */

typedef struct Pair {
        sd_bus *server;
        sd_bus *client;
} Pair;

static void pair_done(Pair *p) {
        sd_bus_close_unref(p->client);
        sd_bus_close_unref(p->server);
}

static int pair_start(Pair *p, int server_fd, int client_fd) {
        sd_id128_t id;
        int r;

        r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_new(&p->server);
        if (r >= 0)
                r = sd_bus_set_fd(p->server, server_fd, server_fd);
        if (r >= 0)
                r = sd_bus_set_server(p->server, true, id);
        if (r >= 0)
                r = sd_bus_set_anonymous(p->server, true);
        if (r >= 0)
                r = sd_bus_start(p->server);
        if (r >= 0)
                r = sd_bus_new(&p->client);
        if (r >= 0)
                r = sd_bus_set_fd(p->client, client_fd, client_fd);
        if (r >= 0)
                r = sd_bus_set_anonymous(p->client, true);
        return r < 0 ? r : sd_bus_start(p->client);
}

typedef struct Introspection {
        FILE *file;
        bool answered;
        int error;
} Introspection;

/* Our interfaces alone: what libsystemd adds to every object depends on its version. */
static void print_interfaces(FILE *f, const char *xml) {
        static const char begin[] = " <interface name=\"org.ctvirt.", end[] = " </interface>\n";

        for (const char *p = xml; (p = strstr(p, begin));) {
                const char *stop = strstr(p, end);

                if (!stop)
                        return;
                stop += strlen(end);
                (void) fwrite(p, 1, (size_t) (stop - p), f);
                p = stop;
        }
}

static int on_introspection(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Introspection *i = userdata;
        const char *xml;

        i->answered = true;
        if (sd_bus_message_is_method_error(reply, NULL))
                i->error = -sd_bus_message_get_errno(reply);
        else if (sd_bus_message_read(reply, "s", &xml) >= 0)
                print_interfaces(i->file, xml);
        else
                i->error = -EBADMSG;
        return 0;
}

static int introspect_object(Pair *pair, const char *path, FILE *f) {
        Introspection i = { .file = f };
        int r, k;

        r = sd_bus_call_method_async(pair->client, NULL, NULL, path,
                                     "org.freedesktop.DBus.Introspectable", "Introspect",
                                     on_introspection, &i, NULL);
        while (r >= 0 && !i.answered) {
                r = sd_bus_process(pair->client, NULL);
                k = r < 0 ? r : sd_bus_process(pair->server, NULL);
                r = k < 0 ? k : r + k;
                if (r == 0 && !i.answered)
                        r = sd_bus_wait(pair->client, 1000);
        }
        return r < 0 ? r : i.error;
}

static int introspect_all(Pair *pair, FILE *f) {
        static const char *const paths[] = { CTVIRT_BUS_PATH, CTVIRT_BUS_CONTAINER_PREFIX "/any",
                                             CTVIRT_BUS_NETWORK_PREFIX "/any",
                                             CTVIRT_BUS_JOB_PREFIX "/00000000",
                                             CTVIRT_BUS_POOL_PATH };

        fputs("<node>\n", f);
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                int r = introspect_object(pair, paths[i], f);

                if (r < 0)
                        return r;
        }
        fputs("</node>\n", f);
        return fflush(f) < 0 ? negative_errno() : 0;
}

int bus_objects_introspect(FILE *f) {
        _cleanup_(pair_done) Pair pair = { 0 };
        Network network = { .name = (char[]){ "any" } };
        Network *networks[] = { &network };
        Container container = { .name = (char[]){ "any" } };
        Container *containers[] = { &container };
        JobSpec spec = { .id = (char[]){ "00000000" } };
        Job job = { .spec = &spec };
        Manager m = { .networks = { networks, 1 }, .containers = { containers, 1 } };
        int fds[2], r;

        TAILQ_INIT(&m.jobs.list);
        TAILQ_INSERT_TAIL(&m.jobs.list, &job, entry);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
                return negative_errno();

        r = pair_start(&pair, fds[0], fds[1]);
        if (r >= 0)
                r = bus_objects_add(pair.server, &m);
        return r < 0 ? r : introspect_all(&pair, f);
}

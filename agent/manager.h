#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Manager: the agent's one object. It owns the event loop, the bus connections, the tables, and the
 * watchers, and it connects them: a watcher reports a fact by calling one of the manager_on_*
 * functions below, and never acts on it itself.
 *
 *   libvirt_link   networks, events ────┐
 *   link_watch     links of bridges ────┼─> bridge_watch ─> bridge_decide() ─┬─> bridge_edge()
 *   marker_watch   what the hook did ───┘                                    ├─> bridge_gone()
 *                                                                            └─> plug
 *   unit_client    states of units ─────────> containers ─> bus (events, properties)
 *   file_watch     .nspawn files, enabling ─> daemon-reload, so that the generator runs again
 */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "agent/config.h"
#include "agent/container.h"
#include "agent/job.h"
#include "agent/lease.h"
#include "agent/network.h"
#include "agent/pool_worker.h"
#include "agent/request.h"
#include "agent/sender_cache.h"
#include "units/bus_calls.h"
#include "units/nspawn_link.h"
#include "units/unit_client.h"

typedef struct BridgeWatch BridgeWatch;
typedef struct FailureAsk FailureAsk;
typedef struct StartProof StartProof;
typedef struct FailureCause FailureCause;
typedef struct FileWatch FileWatch;
typedef struct LibvirtLink LibvirtLink;
typedef struct LinkWatch LinkWatch;
typedef struct MarkerWatch MarkerWatch;
typedef struct NetworkFiles NetworkFiles;
typedef struct SystemBus SystemBus;
typedef struct TapWatch TapWatch;

typedef struct Manager {
        const char *root; /* put before the paths of all files; "" on a host */
        sd_event *event;

        /* bus, calls and units are NULL while the system bus is away, and the requests are dropped
         * then. */
        SystemBus *system_bus;
        sd_bus *bus;
        BusCalls *calls;
        UnitClient *units;
        bool units_listed;       /* which units systemd had loaded is known */
        bool caught_up;          /* and their states, or they were waited for long enough */
        uint64_t connected_usec; /* CLOCK_MONOTONIC */
        sd_event_source *catch_up_source; /* limits that wait */
        RequestList requests;
        SenderCache senders;    /* of requests */
        uint64_t last_check_id; /* of a question to polkit */

        unsigned systemd_version;
        MachineId machine_id;
        int run_fd;
        int agent_lock_fd;

        Config config;
        char *libvirt_uri;
        bool libvirt_uri_given; /* on the command line, which counts more */
        LibvirtLink *libvirt;
        NetworkTable networks;
        bool networks_known; /* a list from libvirt has been taken over since it was last connected
                              */

        TapWatch *taps;
        NetworkFiles *network_files; /* NULL: they cannot be watched */

        LinkWatch *links;
        MarkerWatch *markers;
        BridgeWatch *bridges;
        FileWatch *files;
        ContainerTable containers;
        JobTable jobs;
        PoolWorker *pool_worker; /* changes */
        PoolWorker *pool_reader; /* does not wait for them */
        FailureCause *causes;    /* NULL: none can be found out */
        LIST_HEAD(, FailureAsk) failure_asks;
        unsigned edges_asked; /* turns that heal_on_edge() waits for */
        LIST_HEAD(, StartProof) start_proofs;
        uint64_t last_failure_cookie;
        char **orphans; /* containers that were half undefined when the agent last ended */

        sd_event_source *reload_source; /* coalesces daemon-reload requests */
        bool reload_wanted;             /* and not asked for yet */
        unsigned reloads_asked;         /* asked for and not answered */
        bool reloading;                 /* systemd is at it, whoever asked */
        uint64_t reload_usec;           /* CLOCK_MONOTONIC of the last time that it began */
        sd_event_source *trim_source;   /* gives memory back */
        bool ready;                     /* systemd has been told that we are up */
        char *status;                   /* the last one that systemd was told */
} Manager;

/* libvirt_uri may be NULL. Nothing runs before manager_run(), which returns 0 after SIGTERM or
 * SIGINT. */
int manager_new(const char *libvirt_uri, Manager **ret);
int manager_run(Manager *m);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager *, manager_free)

/*
 * Event core (event_core part: libvirt_link.c, link_watch.c, marker_watch.c, bridge_watch.c,
 * plug.c)
 */

/* The facts about this bridge may have changed: look at all of them and do what the table says. */
int bridge_watch_new(Manager *m, BridgeWatch **ret);
void bridge_watch_check(BridgeWatch *w, const char *name);
void bridge_watch_check_all(BridgeWatch *w);
bool bridge_watch_is_ready(BridgeWatch *w, const char *bridge);
/* ifindex of the incarnation, 0 if there is none; *ret_handled whether its start was queued */
unsigned bridge_watch_incarnation(BridgeWatch *w, const char *bridge, bool *ret_handled);
BridgeWatch *bridge_watch_free(BridgeWatch *w);

/* Leases of a network as libvirt knows them; the handler is called from the event loop, once. */
int libvirt_link_get_leases(LibvirtLink *l, const char *network, LeasesHandler handler,
                            void *userdata);
bool libvirt_link_is_connected(LibvirtLink *l);
unsigned long libvirt_link_version(LibvirtLink *l); /* virConnectGetLibVersion; 0: not connected */

/*
 * Containers (containers part: container*.c, definition_store.c, *_bus.c, polkit.c, file_watch.c)
 */

/* Called by the event core. */
void manager_on_network(Manager *m, Network *n, const char *event); /* "Defined", "Undefined",
                                                                     * "Started", "Stopped" */
void manager_on_networks_listed(
        Manager *m); /* after the first list of a connection, and re-lists */
void manager_on_bridge_ready(Manager *m, const char *bridge, bool edge);
void manager_on_bridge_gone(Manager *m, const char *bridge);

/* Tells systemd that the agent is up, once all that has to be done before that is done. */
void manager_check_ready(Manager *m);

/* Lets calls in, once the states of all containers are known: before that we would say of those that
 * run that they do not. */
void manager_check_caught_up(Manager *m);

/* Asks for a daemon-reload soon (requests are coalesced), so that the generator runs again. */
void manager_request_reload(Manager *m);

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/manager.h"

#include <signal.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "agent/agent_lock.h"
#include "agent/api.h"
#include "agent/bus_errors.h"
#include "agent/bus_objects.h"
#include "agent/container_refresh.h"
#include "agent/container_watch.h"
#include "agent/event_core.h"
#include "agent/failure_cause.h"
#include "agent/failure_report.h"
#include "agent/file_watch.h"
#include "agent/heal.h"
#include "agent/host_facts.h"
#include "agent/job_recover.h"
#include "agent/memory_trim.h"
#include "agent/reconcile.h"
#include "agent/reload.h"
#include "agent/start_proof.h"
#include "agent/status.h"
#include "agent/system_bus.h"
#include "base/log.h"
#include "units/bridge_marker.h"

#define BUS_CALL_WINDOW 32 /* beside those of UnitClient, see units/bus_calls.h */
#define NSPAWN_VERSION_FLOOR 252
#define LIMIT_ACCURACY_USEC (UINT64_C(10) * 1000)
#define READY_LIMIT_USEC (UINT64_C(5) * 1000 * 1000)

/*
 * What systemd is told
 */

static void update_status(Manager *m) {
        char *status = status_text(m);

        if (!status)
                return;
        if (!streq_ptr(status, m->status))
                (void) sd_notifyf(false, "STATUS=%s", status);
        free(m->status);
        m->status = status;
}

/* After everything else of a turn of the loop, if anything happened in it. */
static int on_post(sd_event_source *source, void *userdata) {
        update_status(userdata);
        return 0;
}

static void tell_ready(Manager *m) {
        if (m->ready)
                return;
        m->ready = true;
        log_info("Up, with %zu containers", m->containers.n_items);
        (void) sd_notify(false, "READY=1");
        (void) memory_trim_soon(m->event, &m->trim_source);
}

void manager_check_ready(Manager *m) {
        if (!m->bus || (m->caught_up && strv_length(m->orphans) == 0))
                tell_ready(m);
}

/* A bus daemon that hangs must not be the end of us: networks and bridges are looked after already.
 */
static int on_ready_overdue(sd_event_source *source, uint64_t usec, void *userdata) {
        tell_ready(userdata);
        return 0;
}

/*
 * The system bus
 */

static void let_calls_in(Manager *m) {
        m->caught_up = true;
        m->catch_up_source = sd_event_source_disable_unref(m->catch_up_source);
        system_bus_claim(m->system_bus);
}

void manager_check_caught_up(Manager *m) {
        if (m->caught_up || !m->units_listed)
                return;
        for (size_t i = 0; i < m->containers.n_items; i++)
                if (!m->containers.items[i]->caught_up)
                        return;
        let_calls_in(m);
}

/* An answer that may be wrong is better than none for good. */
static int on_catch_up_overdue(sd_event_source *source, uint64_t usec, void *userdata) {
        log_warning("systemd does not tell the states of all containers");
        let_calls_in(userdata);
        return 0;
}

static int start_catch_up(Manager *m) {
        int r;

        (void) sd_event_now(m->event, CLOCK_MONOTONIC, &m->connected_usec);
        r = sd_event_add_time_relative(m->event, &m->catch_up_source, CLOCK_MONOTONIC,
                                       READY_LIMIT_USEC, LIMIT_ACCURACY_USEC, on_catch_up_overdue,
                                       m);
        return r < 0 ? r : container_watch_catch_up(m);
}

static int on_bus_connected(sd_bus *bus, void *userdata) {
        Manager *m = userdata;
        int r;

        m->bus = sd_bus_ref(bus);
        r = reload_watch(m);
        if (r >= 0)
                r = heal_watch_orders(m);
        if (r < 0)
                return r;
        r = bus_calls_new(bus, BUS_CALL_WINDOW, &m->calls);
        if (r >= 0)
                r = unit_client_new(bus, container_watch_on_unit, reload_on_reloaded, m, &m->units);
        if (r >= 0)
                r = bus_objects_add(bus, m);
        if (r >= 0)
                r = unit_client_start(m->units);
        if (r >= 0)
                r = start_catch_up(m);
        if (r < 0)
                return r;

        reconcile_orphans(m);
        job_recover_follow(m);
        job_recover_leftovers(m);
        if (m->reload_wanted)
                manager_request_reload(m);
        return 0;
}

/* Those that may call back with a request go before the requests. */
static void on_bus_disconnected(void *userdata) {
        Manager *m = userdata;

        m->units = unit_client_free(m->units);
        m->calls = bus_calls_free(m->calls);
        request_list_discard(&m->requests);
        sender_cache_done(&m->senders);
        job_recover_bus_gone(m);
        m->bus = sd_bus_unref(m->bus);
        failure_report_bus_gone(m);
        heal_on_bus_gone(m);
        start_proofs_free(m);
        m->units_listed = m->caught_up = m->reloading = false;
        m->reloads_asked = 0;
        m->catch_up_source = sd_event_source_disable_unref(m->catch_up_source);
        for (size_t i = 0; i < m->containers.n_items; i++)
                m->containers.items[i]->caught_up = false;
}

static void on_bus_settled(bool named, void *userdata) {
        manager_check_ready(userdata);
}

static int connect_bus(Manager *m) {
        const SystemBusHandlers handlers = {
                .on_connected = on_bus_connected,
                .on_disconnected = on_bus_disconnected,
                .on_settled = on_bus_settled,
                .userdata = m,
        };

        return system_bus_new(m->event, CTVIRT_BUS_NAME, &handlers, &m->system_bus);
}

/*
 * Signals
 */

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info,
                        void *userdata) {
        Manager *m = userdata;

        (void) sd_notify(false, "STOPPING=1");
        return sd_event_exit(m->event, 0);
}

static uint64_t now_monotonic_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

static void reload_config(Manager *m) {
        Config config;
        int r;

        r = config_load(m->root, &config);
        if (r < 0) {
                log_error_errno(r, "Could not read " CONFIG_FILE);
                return;
        }
        config_done(&m->config);
        m->config = config;
        if (!m->libvirt_uri_given && !streq(m->libvirt_uri, config.libvirt_uri))
                log_notice("LibvirtURI= has changed; this takes effect when ctvirtd is restarted");
}

/* A person has edited definitions. MONOTONIC_USEC is for Type=notify-reload (systemd 253). */
static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Manager *m = userdata;
        int r, k;

        (void) sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%llu",
                          (unsigned long long) now_monotonic_usec());
        log_info("Reading settings and definitions again");

        reload_config(m);
        r = reconcile_definitions(m);
        if (r < 0)
                log_error_errno(r, "Could not read the definitions");
        k = container_refresh_all(m);
        if (r > 0 || k > 0)
                manager_request_reload(m);
        if (m->units)
                reconcile_orphans(m);
        bridge_watch_check_all(m->bridges);

        (void) sd_notify(false, "READY=1");
        return 0;
}

static int watch_signals(Manager *m) {
        static const int terminating[] = { SIGTERM, SIGINT };
        sigset_t mask;
        int r;

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGTERM);
        (void) sigaddset(&mask, SIGINT);
        (void) sigaddset(&mask, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return negative_errno();

        for (size_t i = 0; i < ELEMENTSOF(terminating); i++) {
                r = sd_event_add_signal(m->event, NULL, terminating[i], on_terminate, m);
                if (r < 0)
                        return r;
        }
        return sd_event_add_signal(m->event, NULL, SIGHUP, on_hangup, m);
}

/*
 * Setting up
 */

static int set_up_loop(Manager *m) {
        int r;

        r = sd_event_default(&m->event);
        if (r >= 0)
                r = watch_signals(m);
        if (r >= 0)
                r = sd_event_set_watchdog(m->event, true);
        if (r >= 0)
                r = reload_prepare(m);
        if (r >= 0)
                r = sd_event_add_time_relative(m->event, NULL, CLOCK_MONOTONIC, READY_LIMIT_USEC,
                                               LIMIT_ACCURACY_USEC, on_ready_overdue, m);
        if (r >= 0)
                r = sd_event_add_post(m->event, NULL, on_post, m);
        return r < 0 ? log_error_errno(r, "Could not set up the event loop") : 0;
}

static int configure(Manager *m, const char *libvirt_uri) {
        int r;

        r = config_load(m->root, &m->config);
        if (r < 0)
                return r;
        m->libvirt_uri_given = libvirt_uri;
        m->libvirt_uri = strdup(libvirt_uri ? libvirt_uri : m->config.libvirt_uri);
        return m->libvirt_uri ? 0 : -ENOMEM;
}

static void learn_host(Manager *m) {
        int r;

        r = machine_id_load(m->root, &m->machine_id);
        if (r < 0)
                log_warning_errno(r, "Could not read the machine id; addresses of containers are "
                                     "not what nspawn derives");
        r = host_nspawn_version(&m->systemd_version);
        if (r < 0) {
                log_warning_errno(r, "Could not find out the version of systemd-nspawn");
                m->systemd_version = NSPAWN_VERSION_FLOOR;
        }
}

static int start_jobs(Manager *m) {
        int r;

        r = job_table_init(&m->jobs, m->run_fd);
        if (r >= 0)
                r = pool_worker_new(m->event, &m->pool_worker);
        if (r >= 0)
                r = pool_worker_new(m->event, &m->pool_reader);
        if (r < 0)
                return log_error_errno(r, "Could not prepare for jobs");
        job_recover_load(m);
        return 0;
}

static int take_host(Manager *m) {
        int r;

        r = run_dir_open();
        if (r < 0)
                return log_error_errno(r, "Could not open /run/ctvirt");
        m->run_fd = r;

        r = agent_lock_take(m->run_fd);
        if (r == -EWOULDBLOCK) {
                log_error("Another agent is running");
                return r;
        }
        if (r < 0)
                return log_error_errno(r, "Could not take the agent's lock");
        m->agent_lock_fd = r;
        return 0;
}

/* Definitions that cannot be read at all do not keep us from looking after networks. */
static void load_containers(Manager *m) {
        int r;

        /* What was made of them before we came tells which of them have got other bridges. */
        (void) container_refresh_all(m);

        r = reconcile_definitions(m);
        if (r < 0)
                log_error_errno(r, "Could not read the definitions");
        if (r > 0)
                m->reload_wanted = true;

        r = container_refresh_all(m);
        if (r < 0)
                log_error_errno(r, "Could not read what containers there are");
}

static int start_parts(Manager *m) {
        int r;

        r = event_core_new(m);
        if (r < 0)
                return log_error_errno(r, "Could not start looking after bridges");
        r = file_watch_new(m, &m->files);
        if (r < 0)
                log_warning_errno(r, "Could not watch the folders of .nspawn files");
        r = failure_cause_new(m->event, failure_report_on_line, m, &m->causes);
        if (r < 0)
                log_warning_errno(r,
                                  "Could not prepare for failures; their causes will be missing");
        r = connect_bus(m);
        return r < 0 ? log_error_errno(r, "Could not set up the system bus") : 0;
}

int manager_new(const char *libvirt_uri, Manager **ret) {
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->root = "";
        m->run_fd = m->agent_lock_fd = -1;
        TAILQ_INIT(&m->requests);
        TAILQ_INIT(&m->jobs.list);
        m->jobs.fd = -1;
        LIST_INIT(&m->failure_asks);
        LIST_INIT(&m->start_proofs);

        r = configure(m, libvirt_uri);
        if (r >= 0)
                r = bus_errors_register();
        if (r >= 0)
                r = set_up_loop(m);
        if (r >= 0)
                r = take_host(m);
        if (r >= 0)
                r = start_jobs(m);
        if (r < 0)
                return r;

        learn_host(m);
        load_containers(m);
        r = start_parts(m);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

int manager_run(Manager *m) {
        return sd_event_loop(m->event);
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;

        (void) file_watch_free(m->files);
        event_core_free(m);
        (void) system_bus_free(m->system_bus);
        start_proofs_free(m);
        (void) failure_cause_free(m->causes);
        (void) pool_worker_free(m->pool_reader);
        (void) pool_worker_free(m->pool_worker);
        job_table_done(&m->jobs);
        container_table_done(&m->containers);
        network_table_done(&m->networks);
        strv_free(m->orphans);
        sd_event_source_disable_unref(m->reload_source);
        sd_event_source_disable_unref(m->trim_source);
        sd_event_unref(m->event);
        closep(&m->agent_lock_fd);
        closep(&m->run_fd);
        config_done(&m->config);
        free(m->libvirt_uri);
        free(m->status);
        free(m);
        return NULL;
}

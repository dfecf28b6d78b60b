/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/heal.h"

#include "agent/lifecycle.h"
#include "agent/retry.h"
#include "agent/retry_record.h"
#include "agent/unit_transition.h"
#include "base/log.h"
#include "units/bridge_marker.h"
#include "units/unit_name.h"

#define TIMER_ACCURACY_USEC 10000

/* A start that an edge has ordered may have to wait for a stop (TimeoutStopSec=, 90 s). */
#define EDGE_START_USEC (UINT64_C(120) * 1000 * 1000)

/* How long machined may know a machine that has ended. */
#define NAME_LEFT_USEC (UINT64_C(3) * 1000 * 1000)

/* So soon after the end of a life only a start begins that has waited for it. */
#define WAITED_USEC (UINT64_C(100) * 1000)

/* While systemd or the bus is away: both execute themselves anew at times. */
#define AWAY_USEC (UINT64_C(1) * 1000 * 1000)
#define TURN_TIMEOUT_USEC (UINT64_C(90) * 1000 * 1000)

static void forget_timer(Container *c) {
        c->retry_timer = sd_event_source_disable_unref(c->retry_timer);
}

static void forget_record(const Container *c) {
        (void) retry_record_remove(c->manager->run_fd, c->name);
}

/* Without it an agent that starts anew would take the failure for one that nobody has dealt with. */
static void put_record(const Container *c, unsigned tried) {
        const RetryRecord record = { .invocation = c->failed_invocation, .tried = tried };
        int r;

        if (sd_id128_is_null(c->failed_invocation))
                return;
        r = retry_record_write(c->manager->run_fd, c->name, &record);
        if (r < 0)
                log_warning_errno(r, "Container '%s': could not note how often it was tried",
                                  c->name);
}

static void begin(Container *c) {
        forget_timer(c);
        forget_record(c);
        c->start_is_ours = true;
        c->failure_job_over = c->machined_has_stopped = false;
        c->start_is_doubtful = c->left_to_others = false;
        c->jobs_since_failure = 0;
        c->retries = 0;
}

static void end(Container *c) {
        forget_timer(c);
        c->start_is_ours = false;
        c->retries = 0;
}

/* When the last of its bridges became ready; 0: not all of them are, or it has none. */
static uint64_t edge_usec(const Container *c) {
        uint64_t last = 0;

        STRV_FOREACH(bridge, c->bridges) {
                _cleanup_marker_ BridgeMarker marker = { 0 };

                if (bridge_marker_read(c->manager->run_fd, *bridge, &marker) < 0)
                        return 0;
                if (marker.monotonic_usec > last)
                        last = marker.monotonic_usec;
        }
        return last;
}

/* The start that the edge ordered has failed already. */
static bool edge_has_failed(const Container *c) {
        uint64_t edge;

        if (!streq_ptr(c->active_state, "failed"))
                return false;
        edge = edge_usec(c);
        return edge > 0 && c->failed_start_usec >= edge;
}

static void begin_edges(Manager *m) {
        for (size_t i = 0; i < m->containers.n_items; i++) {
                Container *c = m->containers.items[i];

                if (c->edge_is_due && c->enabled && !edge_has_failed(c) &&
                    unit_phase(c->active_state, c->sub_state) != UNIT_PHASE_UP)
                        begin(c);
                c->edge_is_due = false;
        }
}

static void on_edge_turn(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        Manager *m = userdata;

        if (--m->edges_asked == 0)
                begin_edges(m);
}

static int ask_for_turn(Manager *m) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        if (!m->calls)
                return -ENOTCONN;
        r = sd_bus_message_new_method_call(m->bus, &call, "org.freedesktop.systemd1",
                                           "/org/freedesktop/systemd1", "org.freedesktop.DBus.Peer",
                                           "Ping");
        if (r >= 0)
                r = bus_calls_add(m->calls, call, TURN_TIMEOUT_USEC, on_edge_turn, m);
        if (r >= 0)
                m->edges_asked++;
        return r;
}

/* News of the edge and of orders come by two roads. What systemd has told before it answers is what
 * it did before the edge, and says nothing about the start that came of that. */
void heal_on_edge(Manager *m, const char *bridge) {
        for (size_t i = 0; i < m->containers.n_items; i++) {
                Container *c = m->containers.items[i];

                if (strv_contains(c->bridges, bridge))
                        c->edge_is_due = true;
        }
        if (ask_for_turn(m) < 0)
                begin_edges(m);
}

void heal_on_start_order(Container *c) {
        begin(c);
}

void heal_on_starting(Container *c) {
        c->start_is_doubtful = false;
}

void heal_on_started(Container *c) {
        end(c);
        c->left_to_others = false;
        forget_record(c);
}

static void leave_to_others(Container *c) {
        c->left_to_others = true;
        put_record(c, RETRIES_MAX);
        end(c);
}

bool heal_call_off(Container *c) {
        bool asking = c->failure_cookie != 0 && c->start_is_ours;

        if (!c->retry_timer && !asking)
                return false;
        log_info("Container '%s': was told to stop, so it is not tried again", c->name);
        leave_to_others(c);
        return true;
}

static void obey_others(Container *c) {
        log_info("Container '%s': somebody else has given it an order, so it is not tried again",
                 c->name);
        leave_to_others(c);
}

/*
 * Trying again
 */

static bool bridges_ready(const Container *c) {
        _cleanup_strv_ char **waiting = NULL;

        return lifecycle_waiting_for(c, &waiting) >= 0 && !waiting;
}

static RetryFacts gather(const Container *c, FailureKind kind) {
        return (RetryFacts){
                .kind = kind,
                .enabled = c->enabled,
                .ours = c->start_is_ours && streq_ptr(c->active_state, "failed") &&
                        !c->destroy_requested,
                .bridges_ready = bridges_ready(c),
                .tried = c->retries,
        };
}

static bool timer_runs(const Container *c) {
        int on;

        return c->retry_timer && sd_event_source_get_enabled(c->retry_timer, &on) > 0;
}

static int wait_for_systemd(Container *c) {
        int r = sd_event_source_set_time_relative(c->retry_timer, AWAY_USEC);

        return r < 0 ? r : sd_event_source_set_enabled(c->retry_timer, SD_EVENT_ONESHOT);
}

/* An order that was not heard is no attempt. */
static void order_again(Container *c, const char *why) {
        int r = wait_for_systemd(c);

        if (r < 0) {
                log_warning_errno(r, "Container '%s': could not be tried again", c->name);
                return;
        }
        log_info("Container '%s': systemd cannot be reached (%s), trying again in %.1f s", c->name,
                 why, (double) AWAY_USEC / 1e6);
        c->retries--;
        put_record(c, c->retries);
}

/* An order that systemd has refused has an error of its own name. */
static bool was_not_heard(const sd_bus_error *error) {
        return error && !startswith(error->name, "org.freedesktop.systemd1.");
}

static void on_ordered(const UnitReply *reply, void *userdata) {
        _cleanup_free_ char *name = NULL;
        Manager *m = userdata;
        Container *c;

        if (container_from_unit(reply->unit, &name) < 0)
                return;
        c = container_table_by_name(&m->containers, name);
        if (!c || !c->retry_timer || timer_runs(c))
                return;
        if (was_not_heard(reply->error))
                order_again(c, reply->error->message);
        else
                forget_timer(c);
}

static int order_start(Container *c) {
        int r;

        r = unit_client_reset_failed(c->manager->units, c->unit);
        if (r >= 0)
                r = unit_client_job(c->manager->units, UNIT_JOB_START, c->unit, on_ordered,
                                    c->manager);
        return r;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        Container *c = userdata;
        FailureKind kind = failure_kind(c->last_failure);
        RetryFacts facts = gather(c, kind);
        uint64_t delay_usec;
        int r;

        if (!c->manager->units)
                return wait_for_systemd(c);
        /* Ordered anew since, as by another edge: that start speaks for itself. */
        if (unit_phase(c->active_state, c->sub_state) != UNIT_PHASE_DOWN) {
                forget_timer(c);
                return 0;
        }
        if (retry_decide(&facts, &delay_usec) != RETRY_AGAIN) {
                put_record(c, RETRIES_MAX);
                end(c);
                return 0;
        }

        c->retries++;
        c->failure_job_over = false;
        put_record(c, c->retries);
        log_info("Container '%s': trying again, attempt %u of %d", c->name, c->retries,
                 RETRIES_MAX);
        r = order_start(c);
        if (r < 0)
                order_again(c, strerror(-r));
        return 0;
}

static void retry_in(Container *c, FailureKind kind, uint64_t delay_usec) {
        int r;

        r = sd_event_add_time_relative(c->manager->event, &c->retry_timer, CLOCK_MONOTONIC,
                                       delay_usec, TIMER_ACCURACY_USEC, on_retry, c);
        if (r < 0) {
                log_warning_errno(r, "Container '%s': could not be tried again", c->name);
                return;
        }
        log_info("Container '%s': this may pass (%s), trying again in %.1f s", c->name,
                 failure_kind_to_string(kind), (double) delay_usec / 1e6);
}

/* machined stops a machine that has ended, which also means its unit (machine_stop() of systemd's
 * machine.c). It waits while that is active, so where a start has waited for that end, or has found
 * the name taken, it is the unit that has just failed. Once, as machined knows then that it is
 * stopping. */
static bool is_stop_of_machined(Container *c, FailureKind kind) {
        uint64_t left = kind == FAILURE_NAME_TAKEN ? NAME_LEFT_USEC : WAITED_USEC;

        if (c->retries > 0 || c->machined_has_stopped || c->life_ended_usec == 0 ||
            c->failed_start_usec > c->life_ended_usec + left)
                return false;
        c->machined_has_stopped = true;
        return true;
}

static bool others_decided(Container *c, FailureKind kind) {
        unsigned n = c->jobs_since_failure;

        c->jobs_since_failure = 0;
        if (n > 0 && is_stop_of_machined(c, kind))
                n--;
        return n > 0;
}

void heal_on_failure(Container *c, const char *line) {
        FailureKind kind = failure_kind(line);
        RetryFacts facts = gather(c, kind);
        uint64_t delay_usec = 0;

        forget_timer(c);
        if (others_decided(c, kind) || (c->start_is_doubtful && !c->failure_has_job)) {
                obey_others(c);
                return;
        }
        switch (retry_decide(&facts, &delay_usec)) {
        case RETRY_NEVER:
                if (kind != FAILURE_LASTING)
                        put_record(c, RETRIES_MAX);
                end(c);
                return;
        case RETRY_AGAIN:
                put_record(c, c->retries);
                retry_in(c, kind, delay_usec);
                return;
        case RETRY_GIVE_UP:
                log_warning("Container '%s': still fails after %u more attempts, giving up",
                            c->name, c->retries);
                put_record(c, RETRIES_MAX);
                end(c);
                return;
        }
}

/* An order may have gone with it, and an answer has. */
void heal_on_bus_gone(Manager *m) {
        m->edges_asked = 0;
        begin_edges(m);
        for (size_t i = 0; i < m->containers.n_items; i++) {
                Container *c = m->containers.items[i];

                if (c->retry_timer && !timer_runs(c))
                        order_again(c, "the system bus has gone");
        }
}

/*
 * What the agent finds when it starts
 */

/* A record of before the edge is one of another start, unless it is one of this very failure. */
static void find_owner(Container *c, uint64_t start_usec) {
        uint64_t edge = edge_usec(c);
        RetryRecord record;

        if (c->start_is_ours || !c->enabled || edge == 0)
                return;
        if (retry_record_read(c->manager->run_fd, c->name, &record) >= 0 &&
            (record.usec >= edge || (!sd_id128_is_null(c->failed_invocation) &&
                                     sd_id128_equal(record.invocation, c->failed_invocation)))) {
                c->start_is_ours = record.tried < RETRIES_MAX;
                c->retries = record.tried;
        } else
                c->start_is_ours = start_usec >= edge && start_usec - edge < EDGE_START_USEC;
}

void heal_on_starting_found(Container *c) {
        uint64_t now;

        if (sd_event_now(c->manager->event, CLOCK_MONOTONIC, &now) >= 0)
                find_owner(c, now);
}

void heal_on_failed_found(Container *c, const char *line) {
        if (failure_kind(line) == FAILURE_LASTING)
                return;
        if (c->left_to_others) {
                put_record(c, RETRIES_MAX);
                return;
        }
        find_owner(c, c->failed_start_usec);
        heal_on_failure(c, line);
}

/*
 * Others
 */

/* What says that somebody else decides about the container now: its start was replaced by another
 * order (a stop), or a job of its unit ends between a failure and our next attempt. That may be a
 * stop, too, which changes nothing about a failed unit but says what the person wants. While it
 * stops, nothing says which was canceled: our start, or the stop that it has replaced. If that, it
 * begins when the unit has stopped. (Systemd tells the unit's state before its job's end.) */
static void on_canceled(Container *c) {
        if (unit_phase(c->active_state, c->sub_state) == UNIT_PHASE_STOPPING)
                c->start_is_doubtful = true;
        else if (c->start_is_ours)
                obey_others(c);
        else
                c->left_to_others = true;
}

static void on_job(Container *c, const char *result) {
        if (streq(result, "canceled")) {
                on_canceled(c);
                return;
        }
        if (!c->start_is_ours || !c->failure_job_over)
                return;
        /* Whose it is, its cause will tell. */
        if (c->failure_cookie != 0)
                c->jobs_since_failure++;
        else if (!is_stop_of_machined(c, failure_kind(c->last_failure)))
                obey_others(c);
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        _cleanup_free_ char *name = NULL;
        const char *unit, *result;
        Manager *m = userdata;
        Container *c;

        if (sd_bus_message_read(message, "uoss", NULL, NULL, &unit, &result) < 0 ||
            container_from_unit(unit, &name) < 0)
                return 0;
        c = container_table_by_name(&m->containers, name);
        if (c)
                on_job(c, result);
        return 0;
}

int heal_watch_orders(Manager *m) {
        return sd_bus_match_signal_async(
                m->bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", "JobRemoved", on_job_removed, NULL, m);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/heal.h"

#include "agent/lifecycle.h"
#include "agent/retry.h"
#include "agent/unit_transition.h"
#include "base/log.h"
#include "units/unit_name.h"

#define TIMER_ACCURACY_USEC 10000

static void forget_timer(Container *c) {
        c->retry_timer = sd_event_source_disable_unref(c->retry_timer);
}

static void begin(Container *c) {
        forget_timer(c);
        c->start_is_ours = true;
        c->failure_job_over = false;
        c->retries = 0;
}

static void end(Container *c) {
        forget_timer(c);
        c->start_is_ours = false;
        c->retries = 0;
}

void heal_on_edge(Manager *m, const char *bridge) {
        for (size_t i = 0; i < m->containers.n_items; i++) {
                Container *c = m->containers.items[i];

                if (c->enabled && strv_contains(c->bridges, bridge) &&
                    unit_phase(c->active_state, c->sub_state) != UNIT_PHASE_UP)
                        begin(c);
        }
}

void heal_on_start_order(Container *c) {
        begin(c);
}

void heal_on_started(Container *c) {
        end(c);
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

static int order_start(Container *c) {
        int r;

        r = unit_client_reset_failed(c->manager->units, c->unit);
        if (r >= 0)
                r = unit_client_job(c->manager->units, UNIT_JOB_START, c->unit, NULL, NULL);
        return r;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        Container *c = userdata;
        FailureKind kind = failure_kind(c->last_failure);
        RetryFacts facts = gather(c, kind);
        uint64_t delay_usec;
        int r;

        forget_timer(c);
        if (!c->manager->units || retry_decide(&facts, &delay_usec) != RETRY_AGAIN) {
                end(c);
                return 0;
        }

        c->retries++;
        c->failure_job_over = false;
        log_info("Container '%s': trying again, attempt %u of %d", c->name, c->retries,
                 RETRIES_MAX);
        r = order_start(c);
        if (r < 0)
                log_warning_errno(r, "Container '%s': could not be tried again", c->name);
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

void heal_on_failure(Container *c, const char *line) {
        FailureKind kind = failure_kind(line);
        RetryFacts facts = gather(c, kind);
        uint64_t delay_usec = 0;

        forget_timer(c);
        switch (retry_decide(&facts, &delay_usec)) {
        case RETRY_NEVER:
                end(c);
                return;
        case RETRY_AGAIN:
                retry_in(c, kind, delay_usec);
                return;
        case RETRY_GIVE_UP:
                log_warning("Container '%s': still fails after %u more attempts, giving up",
                            c->name, c->retries);
                end(c);
                return;
        }
}

/*
 * Others
 */

/* What says that somebody else decides about the container now: its start was replaced by another
 * order (a stop), or a job of its unit ends between a failure and our next attempt. That may be a
 * stop, too, which changes nothing about a failed unit but says what the person wants. */
static bool is_foreign_order(const Container *c, const char *result) {
        return c->start_is_ours && (c->failure_job_over || streq(result, "canceled"));
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
        if (!c || !is_foreign_order(c, result))
                return 0;
        log_info("Container '%s': somebody else has given it an order, so it is not tried again",
                 c->name);
        end(c);
        return 0;
}

int heal_watch_orders(Manager *m) {
        return sd_bus_match_signal_async(
                m->bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", "JobRemoved", on_job_removed, NULL, m);
}

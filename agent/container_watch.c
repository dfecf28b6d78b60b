/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/container_watch.h"

#include "agent/api.h"
#include "agent/container_refresh.h"
#include "agent/destroy.h"
#include "agent/events.h"
#include "agent/failure_report.h"
#include "agent/heal.h"
#include "agent/plug.h"
#include "agent/unit_transition.h"
#include "base/log.h"
#include "units/generated.h"
#include "units/kept_files.h"
#include "units/unit_list.h"
#include "units/unit_name.h"

#define CALL_TIMEOUT_USEC (UINT64_C(90) * 1000 * 1000)

bool container_is_kept(const Container *c) {
        return container_is_defined(c) || c->enabled || c->active || c->failure_cookie != 0;
}

static int replace_string(char **field, const char *value) {
        char *copy;

        if (streq_ptr(*field, value))
                return 0;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*field);
        *field = copy;
        return 0;
}

static void on_started(Manager *m, Container *c) {
        failure_report_hurry(c);
        heal_on_started(c);
        free(c->last_failure);
        c->last_failure = NULL;
        c->stop_reason = NULL;
        c->shutdown_requested = c->destroy_requested = false;
        events_container(m, c, CTVIRT_EVENT_STARTED, "Booted");
}

static void on_ended(Manager *m, Container *c) {
        if (c->destroy_requested) {
                c->stop_reason = "destroyed";
                events_container(m, c, CTVIRT_EVENT_STOPPED, "Destroyed");
                return;
        }

        c->stop_reason = "shutdown";
        events_container(m, c, CTVIRT_EVENT_SHUTDOWN, "Finished");
        events_container(m, c, CTVIRT_EVENT_STOPPED, "Shutdown");
}

/* A program without an init knows no other end than the one that nspawn makes with it, and calls a
 * failure (wait_for_container() of systemd's nspawn.c). */
static bool is_killed_by_shutdown(const Container *c) {
        return c->shutdown_requested && c->def && !generated_boots_init(c->def);
}

static void on_failed(Manager *m, Container *c) {
        /* nspawn itself may have been killed. */
        destroy_clean_up(m, c->name);

        /* A container that was killed on request has not failed, whatever systemd calls it. */
        if (c->destroy_requested || is_killed_by_shutdown(c)) {
                (void) unit_client_reset_failed(m->units, c->unit);
                on_ended(m, c);
                return;
        }

        c->stop_reason = "failed";
        failure_report_begin(c, true);
}

static void act_on(Manager *m, Container *c, UnitTransition transition) {
        switch (transition) {
        case UNIT_TRANSITION_NONE:
                return;
        case UNIT_TRANSITION_STARTED:
                on_started(m, c);
                plug_container(m, c);
                return;
        case UNIT_TRANSITION_ENDED:
                on_ended(m, c);
                return;
        case UNIT_TRANSITION_FAILED:
                on_failed(m, c);
                return;
        }
}

/* A start that came from an edge was made since, before the system bus could be reached. */
static void at_first_sight(Manager *m, Container *c) {
        if (streq_ptr(c->active_state, "failed"))
                failure_report_begin(c, c->start_is_ours);
        else if (unit_phase(c->active_state, c->sub_state) == UNIT_PHASE_STARTING)
                heal_on_starting_found(c);
        else if (c->active)
                plug_container(m, c);
}

/* What it had of a definition that is gone. */
static void forget_files(Manager *m, const char *name) {
        int r = kept_files_remove(m->root, name);

        if (r < 0)
                log_warning_errno(r, "Container '%s' keeps files of a definition that is gone",
                                  name);
        if (r > 0)
                manager_request_reload(m);
}

/* Of those that ended while we were not there. */
static void forget_all_files(Manager *m) {
        _cleanup_strv_ char **names = NULL;

        if (kept_files_list(m->root, &names) < 0)
                return;
        STRV_FOREACH(name, names) {
                const Container *c = container_table_by_name(&m->containers, *name);

                if (!c || !c->active)
                        forget_files(m, *name);
        }
}

static int take_over(Container *c, const UnitState *state) {
        int r;

        r = replace_string(&c->active_state, state->active_state);
        if (r >= 0)
                r = replace_string(&c->sub_state, state->sub_state);
        if (r >= 0)
                r = replace_string(&c->result, state->result);
        c->main_pid = state->main_pid;
        c->active = !isempty(state->active_state) && !streq(state->active_state, "inactive") &&
                    !streq(state->active_state, "failed");
        if (c->active)
                c->start_when_ready = false;
        return r;
}

/* One that nobody defined or enabled, and that runs. */
static Container *make_running(Manager *m, const char *name) {
        Container *c;
        int r;

        if (container_table_ensure(&m->containers, m, name, &c) < 0)
                return NULL;
        r = container_refresh(m, c);
        if (r < 0)
                log_warning_errno(r, "Container '%s': could not read its files", name);
        return c;
}

/* Systemd reports all instances that it has loaded; one that nobody enabled or started is no
 * container. */
static Container *find_or_make(Manager *m, const UnitState *state) {
        _cleanup_free_ char *name = NULL;
        Container *c;

        if (container_from_unit(state->unit, &name) < 0)
                return NULL;
        c = container_table_by_name(&m->containers, name);
        if (c || unit_phase(state->active_state, state->sub_state) == UNIT_PHASE_DOWN)
                return c;
        return make_running(m, name);
}

static bool has_run(UnitPhase phase) {
        return phase == UNIT_PHASE_UP || phase == UNIT_PHASE_STOPPING;
}

static void note_end(Container *c, const char *old_active, const char *old_sub) {
        if (has_run(unit_phase(old_active, old_sub)) &&
            !has_run(unit_phase(c->active_state, c->sub_state)))
                (void) sd_event_now(c->manager->event, CLOCK_MONOTONIC, &c->life_ended_usec);
}

/* One that we have only just made runs since before we were there to see it start. */
static bool is_news(const Container *c, const UnitState *state) {
        return c->active_state || state->active_enter_usec == 0 ||
               state->active_enter_usec >= c->manager->connected_usec;
}

void container_watch_on_unit(const UnitState *state, void *userdata) {
        _cleanup_free_ char *old_active = NULL, *old_sub = NULL;
        Manager *m = userdata;
        bool was_seen, was_active;
        Container *c;

        c = find_or_make(m, state);
        if (!c)
                return;

        was_active = c->active;
        was_seen = c->seen && is_news(c, state);
        old_active = c->active_state ? strdup(c->active_state) : NULL;
        old_sub = c->sub_state ? strdup(c->sub_state) : NULL;
        if (take_over(c, state) < 0)
                log_error("Out of memory, the state of container '%s' is not known", c->name);
        c->seen = c->caught_up = true;
        note_end(c, old_active, old_sub);
        if (was_active && !c->active)
                forget_files(m, c->name);
        if (unit_phase(c->active_state, c->sub_state) == UNIT_PHASE_STARTING) {
                c->shutdown_requested = c->destroy_requested = false;
                heal_on_starting(c);
        }

        /* What we find at our own start is no news. */
        if (was_seen)
                act_on(m, c,
                       unit_transition(old_active, old_sub, state->active_state, state->sub_state));
        else
                at_first_sight(m, c);

        if (!container_is_kept(c))
                container_table_drop(&m->containers, c);
        manager_check_caught_up(m);
}

/*
 * After a reconnect
 */

static void mark_stopped(Container *c) {
        const UnitState state = {
                .unit = c->unit,
                .load_state = "loaded",
                .active_state = "inactive",
                .sub_state = "dead",
                .result = "success",
                .condition_result = true,
        };

        container_watch_on_unit(&state, c->manager);
}

typedef struct LoadedUnits {
        char **all, **running;
} LoadedUnits;

static void loaded_units_done(LoadedUnits *l) {
        strv_free(l->all);
        strv_free(l->running);
}

static int read_loaded(sd_bus_message *reply, LoadedUnits *l) {
        ListedUnit unit;
        int r;

        r = unit_list_begin(reply);
        if (r < 0)
                return r;
        while ((r = unit_list_next(reply, &unit)) > 0) {
                r = strv_extend(&l->all, unit.name);
                if (r >= 0 && streq(unit.active_state, "active"))
                        r = strv_extend(&l->running, unit.name);
                if (r < 0)
                        return r;
        }
        return r;
}

/* Its state comes a moment later, and is no news. */
static void expect_running(Manager *m, const char *unit) {
        _cleanup_free_ char *name = NULL;
        Container *c;

        if (container_from_unit(unit, &name) < 0 || container_table_by_name(&m->containers, name))
                return;
        c = make_running(m, name);
        if (c)
                c->active = true;
}

static void on_loaded_units(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(loaded_units_done) LoadedUnits units = { 0 };
        Manager *m = userdata;

        if (error || read_loaded(reply, &units) < 0) {
                log_warning("Could not list units: %s", error ? error->message : "no list");
                return;
        }

        /* Backwards, since a foreign container goes when it has stopped. */
        for (size_t i = m->containers.n_items; i > 0; i--) {
                Container *c = m->containers.items[i - 1];

                if (strv_contains(units.all, c->unit))
                        continue;
                c->seen = c->caught_up = true;
                if (c->active)
                        mark_stopped(c);
        }
        STRV_FOREACH(unit, units.running)
                expect_running(m, *unit);
        forget_all_files(m);
        m->units_listed = true;
        manager_check_caught_up(m);
}

int container_watch_catch_up(Manager *m) {
        sd_bus_message *call = NULL;
        int r;

        r = unit_list_new_call(m->bus, UNIT_LIST_ALL, &call);
        if (r >= 0)
                r = bus_calls_add(m->calls, call, CALL_TIMEOUT_USEC, on_loaded_units, m);
        sd_bus_message_unref(call);
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job_freeze.h"

#include "agent/manager.h"
#include "agent/unit_transition.h"
#include "base/log.h"
#include "units/unit_name.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT_BUSY "org.freedesktop.systemd1.UnitBusy"
#define SYSTEMD_FREEZE_CANCELLED "org.freedesktop.systemd1.FreezeCancelled"
#define CALL_TIMEOUT_USEC (UINT64_C(30) * 1000 * 1000)

#define AGAIN_USEC (UINT64_C(100) * 1000)
#define FREEZE_TRIES_MAX 50
#define THAW_TRIES_MAX 600

typedef struct OrderCall {
        Manager *manager;
        char id[JOB_ID_LENGTH + 1];
} OrderCall;

static int send_order(const Job *job, const char *method, BusCallHandler handler) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_free_ char *unit = container_unit_name(job_spec_frozen(job->spec));
        _cleanup_free_ OrderCall *call = calloc(1, sizeof(*call));
        int r;

        if (!job->manager->bus)
                return -ENOTCONN;
        if (!unit || !call)
                return -ENOMEM;
        call->manager = job->manager;
        memcpy(call->id, job->spec->id, sizeof(call->id));
        r = sd_bus_message_new_method_call(job->manager->bus, &m, SYSTEMD_NAME, SYSTEMD_PATH,
                                           SYSTEMD_MANAGER, method);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", unit);
        if (r >= 0)
                r = bus_calls_add(job->manager->calls, m, CALL_TIMEOUT_USEC, handler, call);
        if (r >= 0)
                (void) TAKE_PTR(call);
        return r;
}

/* One that is being thawed by the job before, or whose unit has a job; systemd says it so
 * (bus_unit_method_freezer_generic() in its dbus-unit.c), or it hears of the end of the thaw only
 * now and takes it for the end of the freeze (unit_freezer_complete() in its unit.c). */
static bool passes(const sd_bus_error *error) {
        return sd_bus_error_has_name(error, SD_BUS_ERROR_FAILED) ||
               sd_bus_error_has_name(error, SYSTEMD_FREEZE_CANCELLED) ||
               sd_bus_error_has_name(error, SYSTEMD_UNIT_BUSY);
}

static int try_again(Job *job, unsigned tries_max, sd_event_time_handler_t handler) {
        if (job->freeze_tries >= tries_max)
                return -ETIMEDOUT;
        job->freeze_tries++;
        job->freeze_timer = sd_event_source_disable_unref(job->freeze_timer);
        return sd_event_add_time_relative(job->manager->event, &job->freeze_timer, CLOCK_MONOTONIC,
                                          AGAIN_USEC, 0, handler, job);
}

/*
 * Freezing
 */

static bool has_ended(const Job *job) {
        const Container *c =
                container_table_by_name(&job->manager->containers, job_spec_frozen(job->spec));

        return !c || unit_phase(c->active_state, c->sub_state) == UNIT_PHASE_DOWN;
}

static void warn_unfrozen(Job *job, const char *why) {
        const char *name = job_spec_frozen(job->spec);

        log_warning("Container '%s' could not be frozen, it is copied as it runs: %s", name, why);
        if (asprintf(
                    &job->warning,
                    "container '%s' could not be frozen (%s), so it was copied while it ran: files "
                    "that it wrote meanwhile may not fit together",
                    name, why) < 0)
                job->warning = NULL;
}

static void go_on_unfrozen(Job *job, const char *why) {
        if (!has_ended(job))
                warn_unfrozen(job, why);
        job->after_freeze(job);
}

static int on_freeze_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void on_frozen(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_free_ OrderCall *call = userdata;
        Job *job = job_by_id(&call->manager->jobs, call->id);

        if (!job || job->state != JOB_STATE_RUNNING)
                return;
        if (!error)
                job->after_freeze(job);
        else if (job->cancel_requested || !passes(error) ||
                 try_again(job, FREEZE_TRIES_MAX, on_freeze_timer) < 0)
                go_on_unfrozen(job, error->message);
}

static int on_freeze_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *job = userdata;
        int r;

        if (job->state != JOB_STATE_RUNNING)
                return 0;
        r = send_order(job, "FreezeUnit", on_frozen);
        if (r < 0)
                go_on_unfrozen(job, strerror(-r));
        return 0;
}

int job_freeze(Job *job, JobStep next) {
        job->after_freeze = next;
        return send_order(job, "FreezeUnit", on_frozen);
}

/*
 * Thawing
 */

static bool needs_frozen(const Job *job, const char *container) {
        return job->state == JOB_STATE_RUNNING && (job->spec->flags & JOB_FREEZE) && !job->thawed &&
               streq_ptr(job_spec_frozen(job->spec), container);
}

static bool another_needs_frozen(const Job *job) {
        const Job *other;

        JOB_FOREACH(other, &job->manager->jobs)
        if (needs_frozen(other, job_spec_frozen(job->spec)))
                return true;
        return false;
}

static void complain_frozen(const Job *job, const char *why) {
        const char *name = job_spec_frozen(job->spec);

        log_error("Container '%s' is still frozen: %s; thaw it: systemctl thaw systemd-nspawn@%s",
                  name, why, name);
}

static int on_thaw_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void on_thawed(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_free_ OrderCall *call = userdata;
        Job *job = job_by_id(&call->manager->jobs, call->id);

        if (!error || !job)
                return;
        if (!passes(error))
                log_debug("Thawing a container: %s", error->message);
        else if (try_again(job, THAW_TRIES_MAX, on_thaw_timer) < 0)
                complain_frozen(job, error->message);
}

static int on_thaw_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *job = userdata;
        int r;

        if (another_needs_frozen(job))
                return 0;
        r = send_order(job, "ThawUnit", on_thawed);
        if (r < 0)
                complain_frozen(job, strerror(-r));
        return 0;
}

void job_thaw(Job *job) {
        int r;

        if (job->thawed)
                return;
        job->thawed = true;
        job->freeze_tries = 0;
        if (another_needs_frozen(job))
                return;
        r = send_order(job, "ThawUnit", on_thawed);
        if (r < 0)
                complain_frozen(job, strerror(-r));
}

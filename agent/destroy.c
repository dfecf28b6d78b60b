/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/destroy.h"

#include <signal.h>

#include "agent/api.h"
#include "agent/lifecycle.h"
#include "agent/manager.h"
#include "base/log.h"
#include "units/unit_name.h"

#define MACHINED_NAME "org.freedesktop.machine1"
#define MACHINED_PATH "/org/freedesktop/machine1"
#define MACHINED_MANAGER "org.freedesktop.machine1.Manager"

/* How long nspawn may take to clean up when its container is dead. */
#define PATIENCE_USEC (UINT64_C(5) * 1000 * 1000)

/* The first version that makes the mount. */
#define SYSTEMD_WITH_EXPORT 256

void destroy_clean_up(Manager *m, const char *container) {
        _cleanup_free_ char *mount = NULL;

        if (m->systemd_version < SYSTEMD_WITH_EXPORT)
                return;
        mount = container_export_mount_name(container);
        /* Mostly there is none, which is systemd's to say and nobody's to hear. */
        if (mount)
                (void) unit_client_job(m->units, UNIT_JOB_STOP, mount, NULL, NULL);
}

static void kill_all(Container *c) {
        int r;

        r = unit_client_kill(c->manager->units, c->unit, "all", SIGKILL, NULL, NULL);
        if (r < 0)
                log_warning_errno(r, "Container '%s': could not be killed, only stopped", c->name);
}

static int on_patience_over(sd_event_source *s, uint64_t usec, void *userdata) {
        Container *c = userdata;

        log_warning("Container '%s': systemd-nspawn does not end, killing all of it", c->name);
        kill_all(c);
        return 0;
}

static void start_patience(Container *c) {
        int r;

        c->destroy_timer = sd_event_source_disable_unref(c->destroy_timer);
        r = sd_event_add_time_relative(c->manager->event, &c->destroy_timer, CLOCK_MONOTONIC,
                                       PATIENCE_USEC, 0, on_patience_over, c);
        if (r < 0)
                kill_all(c);
}

static void on_destroyed(const UnitReply *reply, void *userdata) {
        Request *request = userdata;
        Container *c = request_container(request);

        /* One that was not defined is gone with its end. */
        if (c)
                c->destroy_timer = sd_event_source_disable_unref(c->destroy_timer);
        if (reply->error) {
                request_fail(request, CTVIRT_ERROR_OPERATION_FAILED, "systemd: %s",
                             reply->error->message);
                return;
        }

        /* To systemd, a unit whose processes were killed has failed. */
        (void) unit_client_reset_failed(request->manager->units, reply->unit);
        destroy_clean_up(request->manager, request->container);
        request_answer(request);
}

static int on_leader_killed(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Container *c = userdata;

        /* A container that is not registered, or machined is not there. */
        if (sd_bus_message_is_method_error(reply, NULL) && c->destroy_timer)
                kill_all(c);
        c->destroy_slot = sd_bus_slot_unref(c->destroy_slot);
        return 0;
}

static int kill_leader(Container *c) {
        c->destroy_slot = sd_bus_slot_unref(c->destroy_slot);
        return sd_bus_call_method_async(
                c->manager->bus, &c->destroy_slot, MACHINED_NAME, MACHINED_PATH, MACHINED_MANAGER,
                "KillMachine", on_leader_killed, c, "ssi", c->name, "leader", (int32_t) SIGKILL);
}

/* The stop comes first, so that nothing starts the unit again between the two. */
static void destroy(Request *request) {
        Container *c = lifecycle_container(request);
        int r;

        if (!c)
                return;
        c->destroy_requested = true;
        r = unit_client_job(request->manager->units, UNIT_JOB_STOP, c->unit, on_destroyed, request);
        if (r < 0) {
                request_fail_errno(request, r, NULL);
                return;
        }
        start_patience(c);
        if (kill_leader(c) < 0)
                kill_all(c);
}

void lifecycle_destroy(Request *request) {
        lifecycle_stop_by(request, destroy);
}

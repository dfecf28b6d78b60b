/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job_freeze.h"

#include "agent/manager.h"
#include "base/log.h"
#include "units/unit_name.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define CALL_TIMEOUT_USEC (UINT64_C(30) * 1000 * 1000)

typedef struct FreezeCall {
        Manager *manager;
        char id[JOB_ID_LENGTH + 1];
        JobStep next;
} FreezeCall;

static int send_order(const Job *job, const char *method, BusCallHandler handler, void *userdata) {
        _cleanup_free_ char *unit = container_unit_name(job_spec_frozen(job->spec));
        sd_bus_message *m = NULL;
        int r;

        if (!job->manager->bus)
                return -ENOTCONN;
        if (!unit)
                return -ENOMEM;
        r = sd_bus_message_new_method_call(job->manager->bus, &m, SYSTEMD_NAME, SYSTEMD_PATH,
                                           SYSTEMD_MANAGER, method);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", unit);
        if (r >= 0)
                r = bus_calls_add(job->manager->calls, m, CALL_TIMEOUT_USEC, handler, userdata);
        sd_bus_message_unref(m);
        return r;
}

static void on_frozen(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_free_ FreezeCall *call = userdata;
        Job *job = job_by_id(&call->manager->jobs, call->id);

        if (!job || job->state != JOB_STATE_RUNNING)
                return;
        if (error)
                log_warning("Container '%s' could not be frozen, it is copied as it runs: %s",
                            job_spec_frozen(job->spec), error->message);
        call->next(job);
}

int job_freeze(Job *job, JobStep next) {
        FreezeCall *call = calloc(1, sizeof(*call));
        int r;

        if (!call)
                return -ENOMEM;
        call->manager = job->manager;
        call->next = next;
        memcpy(call->id, job->spec->id, sizeof(call->id));
        r = send_order(job, "FreezeUnit", on_frozen, call);
        if (r < 0)
                free(call);
        return r;
}

static void on_thawed(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        if (error)
                log_debug("Thawing a container: %s", error->message);
}

static bool needs_frozen(const Job *job, const char *container) {
        return job->state == JOB_STATE_RUNNING && (job->spec->flags & JOB_FREEZE) && !job->thawed &&
               streq_ptr(job_spec_frozen(job->spec), container);
}

void job_thaw(Job *job) {
        const Job *other;
        int r;

        if (job->thawed)
                return;
        job->thawed = true;
        JOB_FOREACH(other, &job->manager->jobs)
        if (needs_frozen(other, job_spec_frozen(job->spec)))
                return;
        r = send_order(job, "ThawUnit", on_thawed, NULL);
        if (r < 0)
                log_error_errno(r, "Could not thaw container '%s'", job_spec_frozen(job->spec));
}

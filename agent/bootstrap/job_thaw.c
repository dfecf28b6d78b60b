/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/job_thaw.h"

#include <systemd/sd-bus.h>

#include "agent/bootstrap/job_result.h"
#include "units/unit_name.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

static bool is_needed(int jobs_fd, const char *id, const char *container) {
        _cleanup_job_spec_ JobSpec *spec = NULL;

        return job_is_at_work(&jobs_fd, id) && job_spec_load(jobs_fd, id, &spec, NULL) >= 0 &&
               (spec->flags & JOB_FREEZE) && streq_ptr(job_spec_frozen(spec), container);
}

static int thaw(const char *container, Error **err) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_free_ char *unit = container_unit_name(container);
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!unit)
                return -ENOMEM;
        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_call_method(bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "ThawUnit",
                                       &error, NULL, "s", unit);
        if (r < 0)
                r = error_set(err, -r, "%s could not be thawed: %s", unit,
                              error.message ? error.message : strerror(-r));
        sd_bus_error_free(&error);
        return r;
}

int job_thaw_behind(int jobs_fd, const JobSpec *spec, Error **err) {
        const char *container = job_spec_frozen(spec);
        _cleanup_strv_ char **ids = NULL;

        if (!(spec->flags & JOB_FREEZE) || !container)
                return 0;
        if (job_spec_list(jobs_fd, &ids) < 0)
                return thaw(container, err);
        STRV_FOREACH(id, ids)
                if (!streq(*id, spec->id) && is_needed(jobs_fd, *id, container))
                        return 0;
        return thaw(container, err);
}

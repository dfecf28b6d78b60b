/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/pool_mount.h"

#include <systemd/sd-bus.h>

#include "agent/pool/pool_build.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

/* Of the one job that is waited for. */
typedef struct MountJob {
        const char *path; /* NULL: not known yet */
        char *early_path; /* a job that has ended before that */
        char *result;
} MountJob;

static void mount_job_done(MountJob *j) {
        free(j->early_path);
        free(j->result);
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        const char *path, *unit, *result;
        MountJob *j = userdata;
        uint32_t id;

        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0 ||
            !streq(unit, POOL_MOUNT_UNIT))
                return 0;
        free(j->result);
        free(j->early_path);
        j->result = strdup(result);
        j->early_path = strdup(path);
        return 0;
}

static int call(sd_bus *bus, const char *method, sd_bus_message **ret, Error **err,
                const char *types, ...) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL;
        va_list ap;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                           method);
        if (r >= 0 && types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(m, types, ap);
                va_end(ap);
        }
        if (r >= 0)
                r = sd_bus_call(bus, m, 0, &error, ret);
        sd_bus_message_unref(m);
        if (r < 0)
                (void) error_set(err, -r, "systemd, %s: %s", method,
                                 error.message ? error.message : strerror(-r));
        sd_bus_error_free(&error);
        return r;
}

static int wait_for_end(sd_bus *bus, MountJob *j) {
        while (!j->result || !streq_ptr(j->early_path, j->path)) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return 0;
}

static int start(sd_bus *bus, Error **err) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(mount_job_done) MountJob job = { 0 };
        int r;

        r = sd_bus_match_signal(bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                "JobRemoved", on_removed, &job);
        if (r >= 0)
                r = call(bus, "Subscribe", NULL, err, NULL);
        if (r >= 0)
                r = call(bus, "StartUnit", &reply, err, "ss", POOL_MOUNT_UNIT, "replace");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &job.path);
        if (r >= 0)
                r = wait_for_end(bus, &job);
        if (r >= 0 && !streq(job.result, "done"))
                return error_set(err, EIO, "mounting it failed (%s); see journalctl -u %s",
                                 job.result, POOL_MOUNT_UNIT);
        return r;
}

/* A unit that fails would keep all containers down: they require the mounts of their roots. */
static void take_back(sd_bus *bus) {
        if (unlink(POOL_MOUNT_UNIT_PATH) >= 0 || errno == ENOENT)
                (void) call(bus, "Reload", NULL, NULL, NULL);
}

int pool_mount(Error **err) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return error_set(err, -r, "cannot reach systemd: %s", strerror(-r));
        r = call(bus, "Reload", NULL, err, NULL);
        if (r >= 0)
                r = start(bus, err);
        if (r < 0) {
                take_back(bus);
                return r;
        }
        return call(bus, "EnableUnitFiles", NULL, err, "asbb", 1, POOL_MOUNT_UNIT, false, true);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/reload.h"

#include "agent/container_refresh.h"
#include "agent/file_watch.h"
#include "agent/network_follow.h"
#include "agent/reconcile.h"
#include "base/log.h"

#define DELAY_USEC (UINT64_C(100) * 1000)
#define ACCURACY_USEC (UINT64_C(10) * 1000)

/* What waits for a reload waits for ours: one that was under way already may have read old files. */
static void start_what_waited(Manager *m) {
        if (!m->reload_wanted && m->reloads_asked == 0)
                network_follow_start(m);
}

static void on_reload_answered(const UnitReply *reply, void *userdata) {
        Manager *m = userdata;

        if (reply->error)
                log_warning("Could not reload systemd: %s", reply->error->message);
        m->reloads_asked--;
        start_what_waited(m);
}

static int on_reload_due(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *m = userdata;
        int r;

        /* Without a bus it is made up for with the next connection. */
        if (!m->units)
                return 0;
        m->reload_wanted = false;
        r = unit_client_reload(m->units, on_reload_answered, m);
        if (r < 0)
                log_warning_errno(r, "Could not reload systemd");
        else
                m->reloads_asked++;
        return 0;
}

void manager_request_reload(Manager *m) {
        int enabled = SD_EVENT_OFF, r;

        m->reload_wanted = true;
        if (!m->reload_source)
                return;
        (void) sd_event_source_get_enabled(m->reload_source, &enabled);
        if (enabled != SD_EVENT_OFF)
                return;

        r = sd_event_source_set_time_relative(m->reload_source, DELAY_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(m->reload_source, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error_errno(r, "Could not arm the timer for a daemon-reload");
}

static int on_reloading(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Manager *m = userdata;
        int begins;

        if (sd_bus_message_read(message, "b", &begins) < 0)
                return 0;
        m->reloading = begins;
        if (begins)
                (void) sd_event_now(m->event, CLOCK_MONOTONIC, &m->reload_usec);
        return 0;
}

/* The generator has run: what changed on disk before that is known to systemd now, and what changed
 * while it ran may not be. */
void reload_on_reloaded(void *userdata) {
        Manager *m = userdata;
        bool made;
        int r;

        m->reloading = false;
        made = reconcile_lost_files(m) > 0;
        r = container_refresh_all(m);
        if (r < 0)
                log_warning_errno(r, "Could not read what containers there are");
        if (made || (r > 0 && file_watch_changed_since(m->files, m->reload_usec)))
                manager_request_reload(m);
        start_what_waited(m);
        bridge_watch_check_all(m->bridges);
}

int reload_watch(Manager *m) {
        return sd_bus_match_signal_async(
                m->bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", "Reloading", on_reloading, NULL, m);
}

int reload_prepare(Manager *m) {
        int r;

        r = sd_event_add_time(m->event, &m->reload_source, CLOCK_MONOTONIC, 0, ACCURACY_USEC,
                              on_reload_due, m);
        return r < 0 ? r : sd_event_source_set_enabled(m->reload_source, SD_EVENT_OFF);
}

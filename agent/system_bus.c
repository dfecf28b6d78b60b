/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/system_bus.h"

#include "base/log.h"
#include "units/bus_guard.h"

#define RETRY_FIRST_USEC (UINT64_C(100) * 1000)
#define RETRY_LAST_USEC (UINT64_C(5) * 1000 * 1000)
#define RETRY_ACCURACY_USEC (UINT64_C(10) * 1000)

#define LOCAL_NAME "org.freedesktop.DBus.Local"
#define LOCAL_PATH "/org/freedesktop/DBus/Local"

struct SystemBus {
        char *name;
        SystemBusHandlers handlers;
        sd_event *event;
        sd_event_source *retry_source;
        uint64_t retry_usec;
        sd_bus *bus;
        bool named;
        bool claimed; /* the name has been asked for, by our owner's wish */
};

/* The next attempt, each one later than the one before it. */
static void retry_later(SystemBus *b) {
        uint64_t delay = b->retry_usec;
        int r;

        b->retry_usec = delay * 2 > RETRY_LAST_USEC ? RETRY_LAST_USEC : delay * 2;
        r = sd_event_source_set_time_relative(b->retry_source, delay);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->retry_source, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error_errno(r, "Could not arm the timer for the system bus");
}

static void disconnect(SystemBus *b) {
        if (!b->bus)
                return;

        b->handlers.on_disconnected(b->handlers.userdata);
        /* Not flushed: that would wait for a bus daemon that may hang. What fits into the socket
         * has been written already. */
        b->bus = sd_bus_close_unref(b->bus);
        b->named = b->claimed = false;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        SystemBus *b = userdata;
        uint32_t answer = 0;

        if (!error)
                (void) sd_bus_message_read(reply, "u", &answer);

        /* 1: primary owner, 4: it was ours already (org.freedesktop.DBus.RequestName) */
        b->named = answer == 1 || answer == 4;
        if (b->named) {
                log_debug("Reached the system bus, as %s", b->name);
                b->retry_usec = RETRY_FIRST_USEC;
        } else {
                log_error("Could not get the name %s on the system bus: %s", b->name,
                          error ? error->message : "somebody else has it");
                retry_later(b);
        }
        b->handlers.on_settled(b->named, b->handlers.userdata);
        return 1;
}

static int request_name(SystemBus *b) {
        return sd_bus_request_name_async(b->bus, NULL, b->name, 0, on_name, b);
}

/* Nothing is freed here, we are called by what would be freed. */
static int on_gone(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        SystemBus *b = userdata;

        log_warning("The system bus has gone; trying to reach it again");
        b->retry_usec = RETRY_FIRST_USEC;
        b->named = false;
        retry_later(b);
        return 1;
}

static int set_up(SystemBus *b) {
        int r;

        r = sd_bus_open_system_with_description(&b->bus, "ctvirtd");
        if (r < 0)
                return r;

        (void) sd_bus_set_exit_on_disconnect(b->bus, false);
        (void) sd_bus_set_close_on_exit(b->bus, false);
        r = bus_guard_add(b->bus);
        if (r < 0)
                return r;
        r = sd_bus_match_signal_async(b->bus, NULL, LOCAL_NAME, LOCAL_PATH, LOCAL_NAME,
                                      "Disconnected", on_gone, NULL, b);
        if (r >= 0)
                r = sd_bus_attach_event(b->bus, b->event, SD_EVENT_PRIORITY_NORMAL);
        return r < 0 ? r : b->handlers.on_connected(b->bus, b->handlers.userdata);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        SystemBus *b = userdata;
        int r;

        /* Only the name is missing, for example because the bus has not read its policy yet. */
        if (b->bus && b->claimed && sd_bus_is_open(b->bus) > 0) {
                r = request_name(b);
                if (r >= 0)
                        return 0;
        }

        disconnect(b);
        r = set_up(b);
        if (r >= 0)
                return 0;

        if (b->retry_usec == RETRY_FIRST_USEC)
                log_warning_errno(r, "Could not reach the system bus; trying again");
        disconnect(b);
        retry_later(b);
        b->handlers.on_settled(false, b->handlers.userdata);
        return 0;
}

int system_bus_new(sd_event *event, const char *name, const SystemBusHandlers *handlers,
                   SystemBus **ret) {
        _cleanup_(system_bus_freep) SystemBus *b = NULL;
        int r;

        b = calloc(1, sizeof(*b));
        if (!b)
                return -ENOMEM;
        b->event = sd_event_ref(event);
        b->handlers = *handlers;
        b->retry_usec = RETRY_FIRST_USEC;
        b->name = strdup(name);
        if (!b->name)
                return -ENOMEM;

        r = sd_event_add_time_relative(event, &b->retry_source, CLOCK_MONOTONIC, 0,
                                       RETRY_ACCURACY_USEC, on_retry, b);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(b);
        return 0;
}

void system_bus_claim(SystemBus *b) {
        if (!b->bus || b->claimed)
                return;
        b->claimed = true;
        if (request_name(b) < 0)
                retry_later(b);
}

SystemBus *system_bus_free(SystemBus *b) {
        if (!b)
                return NULL;

        disconnect(b);
        sd_event_source_disable_unref(b->retry_source);
        sd_event_unref(b->event);
        free(b->name);
        free(b);
        return NULL;
}

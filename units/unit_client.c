/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_client_internal.h"

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define UNIT_NAMESPACE "/org/freedesktop/systemd1/unit"

/* Below the 128 unanswered calls that dbus-daemon allows a connection, which is not ours alone. */
#define CALL_WINDOW 48

int unit_client_new_call(UnitClient *c, const char *method, sd_bus_message **ret) {
        return sd_bus_message_new_method_call(c->bus, ret, DESTINATION, MANAGER_PATH,
                                              MANAGER_INTERFACE, method);
}

int unit_client_call(UnitClient *c, sd_bus_message *m, BusCallHandler handler, void *userdata) {
        return bus_calls_add(c->calls, m, UNIT_ORDER_TIMEOUT_USEC, handler, userdata);
}

/* Reloading(false) ends a daemon-reload: units may have come, gone or been masked by it. */
static int unit_client_on_reloading(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitClient *c = userdata;
        int begins, r;

        r = sd_bus_message_read(m, "b", &begins);
        if (r < 0 || begins)
                return 0;
        (void) unit_client_list(c);
        if (c->on_reload)
                c->on_reload(c->userdata);
        return 0;
}

static int match_manager(UnitClient *c, sd_bus_slot **slot, const char *member,
                         sd_bus_message_handler_t handler) {
        return sd_bus_match_signal_async(c->bus, slot, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE,
                                         member, handler, NULL, c);
}

/* All units of the host in one rule: a rule a container would make dbus-daemon compare each signal
 * of anybody with all of them, and it allows no more than 512. Those of other units are recognised
 * by their path and dropped. */
static int match_properties(UnitClient *c) {
        return sd_bus_add_match_async(c->bus, &c->properties_slot,
                                      "type='signal',sender='" DESTINATION "',"
                                      "interface='org.freedesktop.DBus.Properties',"
                                      "member='PropertiesChanged',"
                                      "path_namespace='" UNIT_NAMESPACE "'",
                                      unit_client_on_properties_changed, NULL, c);
}

/* The rules go out before the first call, so no signal that follows from a call is missed. */
static int add_matches(UnitClient *c) {
        int r;

        r = match_manager(c, &c->job_removed_slot, "JobRemoved", unit_client_on_job_removed);
        if (r >= 0)
                r = match_manager(c, &c->reloading_slot, "Reloading", unit_client_on_reloading);
        return r < 0 ? r : match_properties(c);
}

int unit_client_new(sd_bus *bus, UnitStateHandler on_change, void (*on_reload)(void *userdata),
                    void *userdata, UnitClient **ret) {
        _cleanup_(unit_client_freep) UnitClient *c = NULL;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->bus = sd_bus_ref(bus);
        c->on_change = on_change;
        c->on_reload = on_reload;
        c->userdata = userdata;
        TAILQ_INIT(&c->waiting);
        TAILQ_INIT(&c->asked);
        TAILQ_INIT(&c->working);
        TAILQ_INIT(&c->reloading);
        TAILQ_INIT(&c->to_reload);
        TAILQ_INIT(&c->units);
        TAILQ_INIT(&c->to_ask);

        r = bus_calls_new(bus, CALL_WINDOW, &c->calls);
        if (r >= 0)
                r = add_matches(c);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}

int unit_client_start(UnitClient *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        /* systemd sends signals only while somebody has subscribed. A second time is an error that
         * means nothing. */
        r = unit_client_new_call(c, "Subscribe", &m);
        if (r >= 0)
                r = unit_client_call(c, m, NULL, NULL);
        return r < 0 ? r : unit_client_list(c);
}

UnitClient *unit_client_free(UnitClient *c) {
        if (!c)
                return NULL;
        (void) bus_calls_free(c->calls);
        unit_client_free_orders(c);
        unit_client_free_units(c);
        (void) sd_bus_slot_unref(c->job_removed_slot);
        (void) sd_bus_slot_unref(c->properties_slot);
        (void) sd_bus_slot_unref(c->reloading_slot);
        (void) sd_bus_unref(c->bus);
        free(c);
        return NULL;
}

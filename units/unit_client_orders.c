/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_order.h"

#include "units/unit_name.h"

static void free_list(UnitOrderList *list) {
        while (!TAILQ_EMPTY(list))
                (void) unit_order_free(TAILQ_FIRST(list));
}

void unit_client_free_orders(UnitClient *c) {
        free_list(&c->waiting);
        free_list(&c->asked);
        free_list(&c->working);
        free_list(&c->reloading);
        free_list(&c->to_reload);
}

/*
 * Orders without a job
 */

static void order_on_reply(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        unit_order_finish(userdata, NULL, error);
}

int unit_client_reset_failed(UnitClient *c, const char *unit) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!unit_name_is_plausible(unit))
                return -EINVAL;
        r = unit_client_new_call(c, "ResetFailedUnit", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", unit);
        return r < 0 ? r : unit_client_call(c, m, NULL, NULL);
}

int unit_client_kill(UnitClient *c, const char *unit, const char *whom, int signal,
                     UnitReplyHandler handler, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(unit_order_freep) UnitOrder *order = NULL;
        int r;

        r = unit_order_new(c, unit, handler, userdata, &order);
        if (r >= 0)
                r = unit_client_new_call(c, "KillUnit", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ssi", unit, whom, (int32_t) signal);
        if (r >= 0)
                r = unit_order_send(order, m, order_on_reply);
        if (r < 0)
                return r;
        (void) TAKE_PTR(order);
        return 0;
}

/*
 * Reload. Orders that come while one is under way share the next: the files that they changed may
 * have been changed too late for this one.
 */

/* Handlers give new orders, so those that are due are set apart first. */
static void take_all(UnitOrderList *from, UnitOrderList *to) {
        TAILQ_INIT(to);
        while (!TAILQ_EMPTY(from))
                unit_order_move(TAILQ_FIRST(from), to);
}

static int start_reload(UnitClient *c, BusCallHandler on_reply) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (!TAILQ_EMPTY(&c->reloading) || TAILQ_EMPTY(&c->to_reload))
                return 0;

        r = unit_client_new_call(c, "Reload", &m);
        if (r >= 0)
                r = bus_calls_add(c->calls, m, UINT64_MAX, on_reply, c);
        if (r < 0)
                return r;
        while (!TAILQ_EMPTY(&c->to_reload))
                unit_order_move(TAILQ_FIRST(&c->to_reload), &c->reloading);
        return 0;
}

static void client_on_reloaded(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        UnitClient *c = userdata;
        UnitOrderList done, lost;
        int r;

        take_all(&c->reloading, &done);
        r = start_reload(c, client_on_reloaded);
        if (r < 0) {
                take_all(&c->to_reload, &lost);
                while (!TAILQ_EMPTY(&lost))
                        unit_order_fail(TAILQ_FIRST(&lost), r);
        }
        unit_order_finish_all(&done, NULL, error);
}

int unit_client_reload(UnitClient *c, UnitReplyHandler handler, void *userdata) {
        _cleanup_(unit_order_freep) UnitOrder *order = NULL;
        int r;

        r = unit_order_new(c, NULL, handler, userdata, &order);
        if (r < 0)
                return r;
        unit_order_move(order, &c->to_reload);
        r = start_reload(c, client_on_reloaded);
        if (r < 0)
                return r;
        (void) TAKE_PTR(order);
        return 0;
}

static void order_on_files_changed(sd_bus_message *reply, const sd_bus_error *error,
                                   void *userdata) {
        UnitOrder *order = userdata;
        int r;

        if (error) {
                unit_order_finish(order, NULL, error);
                return;
        }
        unit_order_move(order, &order->client->to_reload);
        r = start_reload(order->client, client_on_reloaded);
        if (r < 0)
                unit_order_fail(order, r);
}

/* machines.target is where systemd's own presets and machinectl(1) hang containers; without it
 * nothing of them is loaded at boot. It stays enabled: it may be wanted by others. */
static int append_files(sd_bus_message *m, const char *unit, bool enable) {
        if (enable)
                return sd_bus_message_append(m, "asbb", 2, unit, MACHINES_TARGET, false, false);
        return sd_bus_message_append(m, "asb", 1, unit, false);
}

int unit_client_enable(UnitClient *c, const char *unit, bool enable, UnitReplyHandler handler,
                       void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(unit_order_freep) UnitOrder *order = NULL;
        int r;

        r = unit_order_new(c, unit, handler, userdata, &order);
        if (r >= 0)
                r = unit_client_new_call(c, enable ? "EnableUnitFiles" : "DisableUnitFiles", &m);
        if (r >= 0)
                r = append_files(m, unit, enable);
        if (r >= 0)
                r = unit_order_send(order, m, order_on_files_changed);
        if (r < 0)
                return r;
        (void) TAKE_PTR(order);
        return 0;
}

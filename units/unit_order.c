/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_order.h"

/*
 * For each job that a bus client asked for, PID 1 keeps a match rule of its own, of which
 * dbus-daemon allows it 512; with one more PID 1 loses its connection to the bus (seen with systemd
 * 252). So many of them are ours.
 */
#define JOB_WINDOW 200

void unit_order_move(UnitOrder *order, UnitOrderList *list) {
        if (order->list)
                TAILQ_REMOVE(order->list, order, entry);
        order->list = list;
        if (list)
                TAILQ_INSERT_TAIL(list, order, entry);
}

UnitOrder *unit_order_free(UnitOrder *order) {
        if (!order)
                return NULL;
        unit_order_move(order, NULL);
        (void) sd_bus_message_unref(order->message);
        free(order->unit);
        free(order->early_result);
        free(order);
        return NULL;
}

bool unit_name_is_plausible(const char *unit) {
        size_t length = unit ? strlen(unit) : 0;

        return length > 0 && length < 256 && unit[0] != '.' && strchr(unit, '.') &&
               strspn(unit, "0123456789"
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            ":-_.\\@") == length;
}

int unit_order_new(UnitClient *c, const char *unit, UnitReplyHandler handler, void *userdata,
                   UnitOrder **ret) {
        _cleanup_(unit_order_freep) UnitOrder *order = NULL;

        if (unit && !unit_name_is_plausible(unit))
                return -EINVAL;

        order = calloc(1, sizeof(*order));
        if (!order)
                return -ENOMEM;
        order->client = c;
        order->handler = handler;
        order->userdata = userdata;
        if (unit) {
                order->unit = strdup(unit);
                if (!order->unit)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(order);
        return 0;
}

int unit_order_send(UnitOrder *order, sd_bus_message *m, BusCallHandler on_reply) {
        int r;

        r = unit_client_call(order->client, m, on_reply, order);
        if (r >= 0)
                unit_order_move(order, &order->client->asked);
        return r;
}

static int send_counted(UnitOrder *order, sd_bus_message *m) {
        int r;

        r = unit_order_send(order, m, order->on_reply);
        if (r < 0)
                return r;
        order->counts = true;
        order->client->n_counted++;
        return 0;
}

static void tell(UnitOrder *order, const char *job_result, const sd_bus_error *error) {
        const UnitReply reply = {
                .unit = order->unit,
                .job_result = error ? NULL : job_result,
                .error = error,
        };

        unit_order_move(order, NULL);
        if (order->handler)
                order->handler(&reply, order->userdata);
        (void) unit_order_free(order);
}

static void tell_errno(UnitOrder *order, int error_number) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        (void) sd_bus_error_set_errno(&error, error_number);
        tell(order, NULL, &error);
}

static void send_waiting(UnitClient *c) {
        while (c->n_counted < JOB_WINDOW && !TAILQ_EMPTY(&c->waiting)) {
                UnitOrder *order = TAILQ_FIRST(&c->waiting);
                int r;

                r = send_counted(order, order->message);
                if (r < 0)
                        tell_errno(order, r);
        }
}

int unit_order_send_job(UnitOrder *order, sd_bus_message *m, BusCallHandler on_reply) {
        UnitClient *c = order->client;

        order->on_reply = on_reply;
        if (c->n_counted < JOB_WINDOW && TAILQ_EMPTY(&c->waiting))
                return send_counted(order, m);
        order->message = sd_bus_message_ref(m);
        unit_order_move(order, &c->waiting);
        return 0;
}

void unit_order_finish(UnitOrder *order, const char *job_result, const sd_bus_error *error) {
        UnitClient *c = order->client;

        if (order->counts)
                c->n_counted--;
        tell(order, job_result, error);
        send_waiting(c);
}

void unit_order_fail(UnitOrder *order, int error_number) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        (void) sd_bus_error_set_errno(&error, error_number);
        unit_order_finish(order, NULL, &error);
}

void unit_order_finish_all(UnitOrderList *list, const char *job_result, const sd_bus_error *error) {
        while (!TAILQ_EMPTY(list))
                unit_order_finish(TAILQ_FIRST(list), job_result, error);
}

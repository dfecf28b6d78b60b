/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pid1_line.h"

#include <systemd/sd-bus.h>

#include "base/log.h"
#include "base/strv.h"
#include "units/unit_list.h"

#define PRIVATE_ADDRESS "unix:path=/run/systemd/private"
#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

#define LIST_TIMEOUT_USEC 2000000
#define IDLE_USEC 1000000
#define LOST_PAUSE_USEC                                                                            \
        50000 /* before the line is used again, for a PID 1 that always hangs up                   \
               */

typedef enum OrderState {
        ORDER_SENT,
        ORDER_CONFIRMED,
        ORDER_REFUSED,
} OrderState;

/* A start or stop that somebody waits for. */
typedef struct Order Order;
struct Order {
        Pid1Line *line;
        Order *next;
        const char *method;
        char *unit;
        OrderState state;
        sd_bus_slot *slot;
};

struct Pid1Line {
        sd_event *event;
        Pid1LineHandler handler;
        void *userdata;

        sd_bus *bus;
        sd_bus_slot *list_slot;
        sd_event_source *idle;
        bool prepared;
        char **to_reset;    /* not reset yet */
        uint64_t lost_usec; /* when PID 1 last hung up on us */
        unsigned n_pending; /* orders that nobody waits for, not answered yet */
        Order *orders;
};

static Order *order_free(Order *o) {
        if (!o)
                return NULL;
        sd_bus_slot_unref(o->slot);
        free(o->unit);
        free(o);
        return NULL;
}
DEFINE_CLEANUP(Order *, order_free)

static Order *find_order(const Pid1Line *l, const char *unit) {
        for (Order *o = l->orders; o; o = o->next)
                if (streq(o->unit, unit))
                        return o;
        return NULL;
}

static void remove_order(Pid1Line *l, Order *order) {
        for (Order **p = &l->orders; *p; p = &(*p)->next)
                if (*p == order) {
                        *p = order->next;
                        order_free(order);
                        return;
                }
}

/*
 * Connection
 */

static uint64_t now_usec(const Pid1Line *l) {
        uint64_t now = 0;

        (void) sd_event_now(l->event, CLOCK_MONOTONIC, &now);
        return now;
}

/* What was sent and not confirmed is forgotten: whether PID 1 has carried it out, nobody can say.
 */
static void hang_up(Pid1Line *l) {
        l->list_slot = sd_bus_slot_unref(l->list_slot);
        while (l->orders)
                remove_order(l, l->orders);
        l->to_reset = strv_free(l->to_reset);
        l->prepared = false;
        l->n_pending = 0;
        sd_bus_close_unref(l->bus);
        l->bus = NULL;
        (void) sd_event_source_set_enabled(l->idle, SD_EVENT_OFF);
}

static bool is_idle(const Pid1Line *l) {
        return !l->list_slot && !l->orders && l->n_pending == 0;
}

static int on_idle(sd_event_source *s, uint64_t usec, void *userdata) {
        Pid1Line *l = userdata;

        if (is_idle(l))
                hang_up(l);
        return 0;
}

static void look_idle(Pid1Line *l) {
        if (!is_idle(l))
                return;
        (void) sd_event_source_set_time_relative(l->idle, IDLE_USEC);
        (void) sd_event_source_set_enabled(l->idle, SD_EVENT_ONESHOT);
}

void pid1_line_forget(Pid1Line *l, const char *unit) {
        Order *o = find_order(l, unit);

        if (!o)
                return;
        remove_order(l, o);
        look_idle(l);
}

/* PID 1 closes its private connections when it executes itself anew. */
static int on_lost(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Pid1Line *l = userdata;

        hang_up(l);
        l->lost_usec = now_usec(l);
        l->handler(l->userdata);
        return 0;
}

static int connect_private(sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, PRIVATE_ADDRESS);
        if (r >= 0)
                r = sd_bus_start(bus); /* does not wait: the event loop goes on with it */
        if (r >= 0)
                *ret = TAKE_PTR(bus);
        return r;
}

static int dial(Pid1Line *l) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        if (l->bus)
                return 0;
        if (l->lost_usec > 0 && now_usec(l) < l->lost_usec + LOST_PAUSE_USEC)
                return -ECONNRESET;
        r = connect_private(&bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, l->event, SD_EVENT_PRIORITY_NORMAL);
        /* sd-bus makes this signal itself when the connection ends (process_closing() of its
         * sd-bus.c). */
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                        "org.freedesktop.DBus.Local", "Disconnected", on_lost, l);
        if (r >= 0)
                l->bus = TAKE_PTR(bus);
        return r;
}

static int new_call(Pid1Line *l, const char *method, const char *unit, const char *mode,
                    sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(l->bus, &m, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE,
                                           method);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", unit);
        if (r >= 0 && mode)
                r = sd_bus_message_append(m, "s", mode);
        if (r >= 0)
                *ret = TAKE_PTR(m);
        return r;
}

/*
 * Orders
 */

/* An answer that sd-bus makes up because the connection ends; on_lost() comes next. */
static bool is_no_answer(const Pid1Line *l) {
        return sd_bus_is_open(l->bus) <= 0;
}

/* A unit that was never loaded has no failure to forget, and a target that is none to stop. */
static bool is_harmless(const sd_bus_error *e) {
        return sd_bus_error_has_name(e, "org.freedesktop.systemd1.NoSuchUnit");
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Pid1Line *l = userdata;
        const sd_bus_error *e = sd_bus_message_get_error(reply);

        if (is_no_answer(l))
                return 0;
        if (e && !is_harmless(e))
                log_warning("systemd refused an order: %s", e->message ? e->message : e->name);
        l->n_pending--;
        look_idle(l);
        return 0;
}

static int send_order(Pid1Line *l, const char *method, const char *unit, const char *mode) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = dial(l);
        if (r >= 0)
                r = new_call(l, method, unit, mode, &m);
        if (r >= 0)
                r = sd_bus_call_async(l->bus, NULL, m, on_answer, l, UINT64_MAX);
        if (r < 0)
                return r;
        l->n_pending++;
        return 0;
}

static int on_last_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Order *o = userdata;
        Pid1Line *l = o->line;
        const sd_bus_error *e = sd_bus_message_get_error(reply);

        if (is_no_answer(l))
                return 0;
        if (e && !is_harmless(e))
                log_error("systemd refused %s of %s: %s", o->method, o->unit,
                          e->message ? e->message : e->name);
        o->state = e && !is_harmless(e) ? ORDER_REFUSED : ORDER_CONFIRMED;
        l->handler(l->userdata);
        return 0;
}

static int send_last(Pid1Line *l, const char *method, const char *unit) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(order_freep) Order *o = calloc(1, sizeof(*o));
        int r;

        if (!o)
                return -ENOMEM;
        o->line = l;
        o->method = method;
        o->unit = strdup(unit);
        if (!o->unit)
                return -ENOMEM;

        r = dial(l);
        if (r >= 0)
                r = new_call(l, method, unit, "replace", &m);
        if (r >= 0)
                r = sd_bus_call_async(l->bus, &o->slot, m, on_last_answer, o, UINT64_MAX);
        if (r < 0)
                return r;

        o->next = l->orders;
        l->orders = TAKE_PTR(o);
        return 0;
}

static int send_all(Pid1Line *l, const char *method, char *const *units) {
        int r;

        for (; units[1]; units++) {
                r = send_order(l, method, *units, "replace");
                if (r < 0)
                        return r;
        }
        return send_last(l, method, *units);
}

/* The last unit stands for all: PID 1 answers on one connection in the order of the calls. */
static int carry_out(Pid1Line *l, const char *method, char *const *units) {
        OrderState state;
        Order *o;
        int r;

        o = find_order(l, units[strv_length(units) - 1]);
        if (!o) {
                r = send_all(l, method, units);
                return r < 0 ? r : -EINPROGRESS;
        }

        state = o->state;
        switch (state) {
        case ORDER_SENT:
                return -EINPROGRESS;
        case ORDER_CONFIRMED:
        case ORDER_REFUSED:
                remove_order(l, o);
                look_idle(l);
                return state == ORDER_CONFIRMED ? 0 : -EREMOTEIO;
        }
        return -EINVAL;
}

static int road_start(void *userdata, char *const *units) {
        return carry_out(userdata, "StartUnit", units);
}

static int road_stop(void *userdata, char *const *units) {
        return carry_out(userdata, "StopUnit", units);
}

static int road_reset_failed(void *userdata, const char *unit) {
        Pid1Line *l = userdata;
        int r = send_order(l, "ResetFailedUnit", unit, NULL);

        /* Once: the unit may fail again before the start is confirmed. */
        if (r >= 0)
                (void) strv_remove(l->to_reset, unit);
        return r;
}

static int road_list_to_reset(void *userdata, char ***ret) {
        Pid1Line *l = userdata;

        return l->prepared ? strv_copy(l->to_reset, ret) : -ETIMEDOUT;
}

EdgeRoad pid1_line_road(Pid1Line *l) {
        return (EdgeRoad){
                .list_to_reset = road_list_to_reset,
                .reset_failed = road_reset_failed,
                .start = road_start,
                .stop = road_stop,
                .userdata = l,
        };
}

/*
 * Failed units
 */

/* With an error, or after the time limit, the edge goes on without the names. */
static int on_list(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Pid1Line *l = userdata;

        l->list_slot = sd_bus_slot_unref(l->list_slot);
        if (is_no_answer(l))
                return 0;
        if (sd_bus_message_is_method_error(reply, NULL) || unit_list_names(reply, &l->to_reset) < 0)
                log_warning("systemd does not say which units are to be reset, going on without");
        l->prepared = true;
        l->handler(l->userdata);
        look_idle(l);
        return 0;
}

int pid1_line_prepare(Pid1Line *l) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (l->prepared)
                return 1;
        if (l->list_slot)
                return 0;

        r = dial(l);
        if (r >= 0)
                r = unit_list_new_call(l->bus, UNIT_LIST_TO_RESET, &m);
        /* The time runs from when PID 1 has taken the connection (calc_elapse() of sd-bus.c):
         * before that, no order could be given either. */
        if (r >= 0)
                r = sd_bus_call_async(l->bus, &l->list_slot, m, on_list, l, LIST_TIMEOUT_USEC);
        return r < 0 ? r : 0;
}

int pid1_line_new(sd_event *event, Pid1LineHandler handler, void *userdata, Pid1Line **ret) {
        _cleanup_(pid1_line_freep) Pid1Line *l = NULL;
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->event = sd_event_ref(event);
        l->handler = handler;
        l->userdata = userdata;

        r = sd_event_add_time_relative(event, &l->idle, CLOCK_MONOTONIC, 0, 0, on_idle, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->idle, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(l);
        return 0;
}

Pid1Line *pid1_line_free(Pid1Line *l) {
        if (!l)
                return NULL;
        if (l->bus)
                hang_up(l);
        sd_event_source_disable_unref(l->idle);
        sd_event_unref(l->event);
        free(l);
        return NULL;
}

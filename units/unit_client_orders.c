/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_client_internal.h"

#include "units/unit_name.h"

typedef struct UnitOrder {
        UnitClient *client;
        UnitOrderList *list;
        TAILQ_ENTRY(UnitOrder) entry;

        char *unit;
        UnitReplyHandler handler;
        void (*list_handler)(char **units, void *userdata);
        void *userdata;

        uint32_t job_id;
        /* The last job of the unit that ended while the order was not answered: it may be ours. */
        uint32_t early_id;
        char *early_result;
} UnitOrder;

static void order_move(UnitOrder *order, UnitOrderList *list) {
        if (order->list)
                TAILQ_REMOVE(order->list, order, entry);
        order->list = list;
        if (list)
                TAILQ_INSERT_TAIL(list, order, entry);
}

static UnitOrder *order_free(UnitOrder *order) {
        if (!order)
                return NULL;
        order_move(order, NULL);
        free(order->unit);
        free(order->early_result);
        free(order);
        return NULL;
}

DEFINE_CLEANUP(UnitOrder *, order_free)

static void free_list(UnitOrderList *list) {
        while (!TAILQ_EMPTY(list))
                (void) order_free(TAILQ_FIRST(list));
}

void unit_client_free_orders(UnitClient *c) {
        free_list(&c->asked);
        free_list(&c->working);
        free_list(&c->reloading);
        free_list(&c->to_reload);
}

/* What systemd accepts as a unit name, roughly: enough to keep nonsense off the bus. */
static bool unit_name_is_plausible(const char *unit) {
        size_t length = unit ? strlen(unit) : 0;

        return length > 0 && length < 256 && unit[0] != '.' && strchr(unit, '.') &&
               strspn(unit, "0123456789"
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            ":-_.\\@") == length;
}

/* unit may be NULL for an order that concerns none. */
static int order_new(UnitClient *c, const char *unit, UnitReplyHandler handler, void *userdata,
                     UnitOrder **ret) {
        _cleanup_(order_freep) UnitOrder *order = NULL;

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

static void order_finish(UnitOrder *order, const char *job_result, const sd_bus_error *error) {
        const UnitReply reply = {
                .unit = order->unit,
                .job_result = error ? NULL : job_result,
                .error = error,
        };

        order_move(order, NULL);
        if (order->handler)
                order->handler(&reply, order->userdata);
        (void) order_free(order);
}

static void order_fail(UnitOrder *order, int error_number) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        (void) sd_bus_error_set_errno(&error, error_number);
        order_finish(order, NULL, &error);
}

static void finish_all(UnitOrderList *list, const char *job_result, const sd_bus_error *error) {
        while (!TAILQ_EMPTY(list))
                order_finish(TAILQ_FIRST(list), job_result, error);
}

/* Handlers give new orders, so those that are due are set apart first. */
static void take_all(UnitOrderList *from, UnitOrderList *to) {
        TAILQ_INIT(to);
        while (!TAILQ_EMPTY(from))
                order_move(TAILQ_FIRST(from), to);
}

static int order_send(UnitOrder *order, sd_bus_message *m, BusCallHandler on_reply) {
        int r;

        r = unit_client_call(order->client, m, on_reply, order);
        if (r >= 0)
                order_move(order, &order->client->asked);
        return r;
}

/*
 * Jobs
 */

/* "/org/freedesktop/systemd1/job/4711" */
static int job_id_from_path(const char *path, uint32_t *ret) {
        const char *digits = startswith(path, "/org/freedesktop/systemd1/job/");
        unsigned long n;
        char *end;

        if (!digits || *digits < '0' || *digits > '9')
                return -EBADMSG;
        errno = 0;
        n = strtoul(digits, &end, 10);
        if (errno != 0 || *end || n == 0 || n > UINT32_MAX)
                return -EBADMSG;
        *ret = (uint32_t) n;
        return 0;
}

static void order_on_job(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        UnitOrder *order = userdata;
        const char *path;
        int r;

        if (error) {
                order_finish(order, NULL, error);
                return;
        }
        r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = job_id_from_path(path, &order->job_id);
        if (r < 0)
                order_fail(order, r);
        else if (order->early_result && order->early_id == order->job_id)
                order_finish(order, order->early_result, NULL);
        else
                order_move(order, &order->client->working);
}

static void remember_early(UnitClient *c, uint32_t id, const char *unit, const char *result) {
        UnitOrder *order;

        TAILQ_FOREACH(order, &c->asked, entry) {
                char *copy;

                if (!order->unit || !streq(order->unit, unit))
                        continue;
                copy = strdup(result);
                if (!copy)
                        continue;
                free(order->early_result);
                order->early_result = copy;
                order->early_id = id;
        }
}

int unit_client_on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitClient *c = userdata;
        UnitOrderList done = TAILQ_HEAD_INITIALIZER(done);
        const char *unit, *result;
        UnitOrder *order, *next;
        uint32_t id;

        if (sd_bus_message_read(m, "uoss", &id, NULL, &unit, &result) < 0)
                return 0;

        remember_early(c, id, unit, result);
        for (order = TAILQ_FIRST(&c->working); order; order = next) {
                next = TAILQ_NEXT(order, entry);
                if (order->job_id == id)
                        order_move(order, &done);
        }
        finish_all(&done, result, NULL);
        return 0;
}

static const char *const job_methods[] = {
        [UNIT_JOB_START] = "StartUnit",
        [UNIT_JOB_STOP] = "StopUnit",
        [UNIT_JOB_RESTART] = "RestartUnit",
};

int unit_client_job(UnitClient *c, UnitJob job, const char *unit, UnitReplyHandler handler,
                    void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(order_freep) UnitOrder *order = NULL;
        int r;

        assert((size_t) job < ELEMENTSOF(job_methods));

        r = order_new(c, unit, handler, userdata, &order);
        if (r >= 0)
                r = unit_client_new_call(c, job_methods[job], &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", unit, "replace");
        if (r >= 0)
                r = order_send(order, m, order_on_job);
        if (r < 0)
                return r;
        (void) TAKE_PTR(order);
        return 0;
}

/*
 * Orders without a job
 */

static void order_on_reply(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        order_finish(userdata, NULL, error);
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
        _cleanup_(order_freep) UnitOrder *order = NULL;
        int r;

        r = order_new(c, unit, handler, userdata, &order);
        if (r >= 0)
                r = unit_client_new_call(c, "KillUnit", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ssi", unit, whom, (int32_t) signal);
        if (r >= 0)
                r = order_send(order, m, order_on_reply);
        if (r < 0)
                return r;
        (void) TAKE_PTR(order);
        return 0;
}

static void order_on_failed_list(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        _cleanup_(order_freep) UnitOrder *order = userdata;
        _cleanup_strv_ char **units = NULL;
        const char *unit;

        if (!error && sd_bus_message_enter_container(reply, 'a', "(ssssssouso)") >= 0)
                while (sd_bus_message_read(reply, "(ssssssouso)", &unit, NULL, NULL, NULL, NULL,
                                           NULL, NULL, NULL, NULL, NULL) > 0)
                        if (strv_extend(&units, unit) < 0)
                                break;

        order->list_handler(units, order->userdata);
}

int unit_client_list_failed(UnitClient *c, void (*handler)(char **units, void *userdata),
                            void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(order_freep) UnitOrder *order = NULL;
        int r;

        r = order_new(c, NULL, NULL, userdata, &order);
        if (r < 0)
                return r;
        order->list_handler = handler;
        r = unit_client_new_call(c, "ListUnitsByPatterns", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "asas", 1, "failed", 1, "systemd-nspawn@*.service");
        if (r >= 0)
                r = order_send(order, m, order_on_failed_list);
        if (r < 0)
                return r;
        (void) TAKE_PTR(order);
        return 0;
}

/*
 * Reload. Orders that come while one is under way share the next: the files that they changed may
 * have been changed too late for this one.
 */

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
                order_move(TAILQ_FIRST(&c->to_reload), &c->reloading);
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
                        order_fail(TAILQ_FIRST(&lost), r);
        }
        finish_all(&done, NULL, error);
}

int unit_client_reload(UnitClient *c, UnitReplyHandler handler, void *userdata) {
        _cleanup_(order_freep) UnitOrder *order = NULL;
        int r;

        r = order_new(c, NULL, handler, userdata, &order);
        if (r < 0)
                return r;
        order_move(order, &c->to_reload);
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
                order_finish(order, NULL, error);
                return;
        }
        order_move(order, &order->client->to_reload);
        r = start_reload(order->client, client_on_reloaded);
        if (r < 0)
                order_fail(order, r);
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
        _cleanup_(order_freep) UnitOrder *order = NULL;
        int r;

        r = order_new(c, unit, handler, userdata, &order);
        if (r >= 0)
                r = unit_client_new_call(c, enable ? "EnableUnitFiles" : "DisableUnitFiles", &m);
        if (r >= 0)
                r = append_files(m, unit, enable);
        if (r >= 0)
                r = order_send(order, m, order_on_files_changed);
        if (r < 0)
                return r;
        (void) TAKE_PTR(order);
        return 0;
}

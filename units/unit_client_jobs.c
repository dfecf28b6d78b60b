/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_order.h"

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
                unit_order_finish(order, NULL, error);
                return;
        }
        r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = job_id_from_path(path, &order->job_id);
        if (r < 0)
                unit_order_fail(order, r);
        else if (order->early_result && order->early_id == order->job_id)
                unit_order_finish(order, order->early_result, NULL);
        else
                unit_order_move(order, &order->client->working);
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
                        unit_order_move(order, &done);
        }
        unit_order_finish_all(&done, result, NULL);
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
        _cleanup_(unit_order_freep) UnitOrder *order = NULL;
        int r;

        assert((size_t) job < ELEMENTSOF(job_methods));

        r = unit_order_new(c, unit, handler, userdata, &order);
        if (r >= 0)
                r = unit_client_new_call(c, job_methods[job], &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", unit, "replace");
        if (r >= 0)
                r = unit_order_send_job(order, m, order_on_job);
        if (r < 0)
                return r;
        (void) TAKE_PTR(order);
        return 0;
}

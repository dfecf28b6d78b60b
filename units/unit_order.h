#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UnitOrder: one order of a UnitClient on its way, from the call to the answer or to the job's end.
 */

#include "units/unit_client_internal.h"

typedef struct UnitOrder {
        UnitClient *client;
        UnitOrderList *list;
        TAILQ_ENTRY(UnitOrder) entry;

        char *unit;
        UnitReplyHandler handler;
        void *userdata;

        sd_bus_message *message; /* of an order that has to wait */
        BusCallHandler on_reply;

        bool counts; /* among those that may have a job */
        uint32_t job_id;
        /* The last job of the unit that ended while the order was not answered: it may be ours. */
        uint32_t early_id;
        char *early_result;
} UnitOrder;

/* What systemd accepts as a unit name, roughly: enough to keep nonsense off the bus. */
bool unit_name_is_plausible(const char *unit);

/* unit may be NULL for an order that concerns none; -EINVAL for a name that is not plausible. */
int unit_order_new(UnitClient *c, const char *unit, UnitReplyHandler handler, void *userdata,
                   UnitOrder **ret);

/* Into that list, out of the one that it was in. NULL: into none. */
void unit_order_move(UnitOrder *order, UnitOrderList *list);

/* Sends the call. */
int unit_order_send(UnitOrder *order, sd_bus_message *m, BusCallHandler on_reply);

/* The same for a call that makes a job: it waits while too many orders with jobs are on their way.
 */
int unit_order_send_job(UnitOrder *order, sd_bus_message *m, BusCallHandler on_reply);

/* Calls the handler and frees the order. */
void unit_order_finish(UnitOrder *order, const char *job_result, const sd_bus_error *error);
void unit_order_fail(UnitOrder *order, int error_number);
void unit_order_finish_all(UnitOrderList *list, const char *job_result, const sd_bus_error *error);

UnitOrder *unit_order_free(UnitOrder *order);
DEFINE_CLEANUP(UnitOrder *, unit_order_free)

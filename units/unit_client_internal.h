#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the parts of UnitClient share: unit_client.c (construction, signals), unit_client_orders.c
 * and unit_client_state.c.
 */

#include <sys/queue.h>

#include "units/bus_calls.h"
#include "units/unit_client.h"

#define UNIT_ORDER_TIMEOUT_USEC (UINT64_C(300) * 1000 * 1000) /* PID 1 may be in a long reload */

typedef TAILQ_HEAD(UnitOrderList, UnitOrder) UnitOrderList;
typedef TAILQ_HEAD(UnitRecordList, UnitRecord) UnitRecordList;

struct UnitClient {
        sd_bus *bus;
        BusCalls *calls;
        UnitStateHandler on_change;
        void (*on_reload)(void *userdata);
        void *userdata;

        sd_bus_slot *job_removed_slot;
        sd_bus_slot *properties_slot;
        sd_bus_slot *reloading_slot;

        /* An order is in one of these lists. */
        UnitOrderList waiting;   /* for its turn to be sent */
        UnitOrderList asked;     /* sent, not answered */
        UnitOrderList working;   /* answered with a job that has not ended */
        UnitOrderList reloading; /* waits for the Reload() that is under way */
        UnitOrderList to_reload; /* waits for the next one */
        unsigned n_counted;      /* orders with a job that are on their way */

        UnitRecordList units;
        UnitRecordList to_ask; /* units whose properties are still to be read */
        unsigned n_questions;  /* property reads that are not answered */
        void *units_by_name;   /* tsearch(3) */
        bool listing;
        bool list_again;
};

/* A call of a method of the Manager object, with its arguments. *ret is owned by the caller. */
int unit_client_new_call(UnitClient *c, const char *method, sd_bus_message **ret);
int unit_client_call(UnitClient *c, sd_bus_message *m, BusCallHandler handler, void *userdata);

/* unit_client_jobs.c */
int unit_client_on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);

/* unit_client_orders.c */
void unit_client_free_orders(UnitClient *c);

/* unit_client_state.c */
int unit_client_on_properties_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int unit_client_list(UnitClient *c);
void unit_client_free_units(UnitClient *c);

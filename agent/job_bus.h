#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Jobs on the bus: what the methods that begin one share, and the manager's methods about them.
 */

#include "agent/manager.h"

/* What a method begins, and by which descriptors it works; given to job_request_begin(). */
typedef struct JobOrder {
        JobSpec *spec;
        int input_fd;
        int output_fd;
        bool stop_first;
} JobOrder;

#define JOB_ORDER_EMPTY ((JobOrder){ NULL, -1, -1, false })

int job_order_new(JobKind kind, const char *name, JobOrder *ret);
void job_order_done(JobOrder *o);
#define _cleanup_job_order_ _cleanup_(job_order_done)

/* Begins it and answers the request with the job's path, or with why not. The order is taken over.
 */
void job_request_begin(Request *request, JobOrder *order);

/* The whole of a method that begins a job: make reads the message, which stands at its beginning,
 * asks what speaks against it, and fills in the order. */
typedef int (*JobOrderFunction)(Request *request, JobOrder *order, Error **err);
void job_request_order(Request *request, JobOrderFunction make);

int manager_method_list_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error);
int manager_method_lookup_job(sd_bus_message *message, void *userdata, sd_bus_error *error);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * BusCalls: asynchronous method calls, a limited number of them unanswered at a time. dbus-daemon
 * refuses the 129th unanswered call of a connection (max_replies_per_connection), which a host with
 * a few hundred containers reaches easily. Calls are sent in the order in which they were added.
 */

#include <systemd/sd-bus.h>

#include "base/macro.h"

typedef struct BusCalls BusCalls;

/* error is NULL on success; reply is NULL if the call could not even be sent. Called exactly once
 * from the event loop, unless the queue is freed before. May add calls, must not free the queue. */
typedef void (*BusCallHandler)(sd_bus_message *reply, const sd_bus_error *error, void *userdata);

/* window: how many calls may be unanswered. The bus is referenced. */
int bus_calls_new(sd_bus *bus, unsigned window, BusCalls **ret);

/* The message is referenced; handler may be NULL. timeout_usec: counted from the sending;
 * UINT64_MAX for none. After an error the handler is not called. */
int bus_calls_add(BusCalls *calls, sd_bus_message *m, uint64_t timeout_usec, BusCallHandler handler,
                  void *userdata);

/* Calls that were not sent are dropped, answers that have not come are not waited for. */
BusCalls *bus_calls_free(BusCalls *calls);
DEFINE_CLEANUP(BusCalls *, bus_calls_free)

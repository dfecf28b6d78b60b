#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UnitClient: asynchronous orders to systemd over the system bus, and its answers. Nothing here
 * waits. Jobs are followed by JobRemoved, for which the match is installed before the first order.
 */

#include <systemd/sd-bus.h>

#include "base/strv.h"

typedef struct UnitClient UnitClient;

/* The result of an order. error is NULL on success; job_result is systemd's word ("done", "failed",
 * "canceled", "timeout", "dependency", "skipped"), NULL for orders without a job. */
typedef struct UnitReply {
        const char *unit;
        const char *job_result;
        const sd_bus_error *error;
} UnitReply;
typedef void (*UnitReplyHandler)(const UnitReply *reply, void *userdata);

typedef enum UnitJob {
        UNIT_JOB_START,
        UNIT_JOB_STOP,
        UNIT_JOB_RESTART,
} UnitJob;

/* The live state of a container's unit. Strings are owned by the client, valid in the handler, and
 * never NULL. */
typedef struct UnitState {
        const char *unit;
        const char *load_state;   /* "loaded", "not-found", "masked" … */
        const char *active_state; /* "active", "inactive", "failed", "activating" … */
        const char *sub_state;
        const char *result;         /* Service.Result: "success", "start-limit-hit" … */
        bool condition_result;      /* false: the last start was skipped by a condition */
        uint32_t main_pid;          /* the nspawn process; 0 when it does not run */
        uint64_t active_enter_usec; /* CLOCK_MONOTONIC; 0: never */
} UnitState;
typedef void (*UnitStateHandler)(const UnitState *state, void *userdata);

/* The bus is referenced; it is the caller's system bus, attached to its event loop. on_change is
 * called for every systemd-nspawn@ unit when it was first seen and whenever its state changed;
 * on_reload after a daemon-reload of systemd has ended. */
int unit_client_new(sd_bus *bus, UnitStateHandler on_change, void (*on_reload)(void *userdata),
                    void *userdata, UnitClient **ret);

/* Subscribes and lists all systemd-nspawn@ units there are. May be called again (after systemd has
 * come back on the bus); with a new bus connection a new client is needed. */
int unit_client_start(UnitClient *c);

/* Orders. The handler is called exactly once, from the event loop, unless the client is freed
 * before. handler may be NULL. Units with names that are no unit names: -EINVAL at once. Handlers
 * may give orders, but must not free the client. */
int unit_client_job(UnitClient *c, UnitJob job, const char *unit, UnitReplyHandler handler,
                    void *userdata);
int unit_client_reset_failed(UnitClient *c, const char *unit);
int unit_client_kill(UnitClient *c, const char *unit, const char *whom, int signal,
                     UnitReplyHandler handler, void *userdata);
int unit_client_enable(UnitClient *c, const char *unit, bool enable, UnitReplyHandler handler,
                       void *userdata);
int unit_client_reload(UnitClient *c, UnitReplyHandler handler, void *userdata);
/* "enabled", "disabled", "masked" … by files alone is enabled_containers_load(). */

UnitClient *unit_client_free(UnitClient *c);
DEFINE_CLEANUP(UnitClient *, unit_client_free)

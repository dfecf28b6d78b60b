#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Request: a method call that is answered later. It holds the message, goes from step to step (is
 * the caller allowed to, do it, wait for systemd), and ends with exactly one answer, which frees
 * it.
 *
 * The manager's list owns all requests: when the bus goes away they are dropped, after
 * UnitClient and BusCalls have been freed, so that nobody calls back with one of them.
 */

#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "base/error.h"
#include "units/bus_calls.h"

typedef struct Container Container;
typedef struct Manager Manager;
typedef struct Request Request;

/* How far it is on its way from the bus to what it asks for, see agent/admission.h. */
typedef enum RequestStage {
        REQUEST_STAGE_NEW,      /* waits until somebody has said whose it is */
        REQUEST_STAGE_ASKED,    /* the bus is asked whose the requests of this sender are */
        REQUEST_STAGE_ADMITTED, /* may be checked, or worked on */
} RequestStage;

#define UID_UNKNOWN ((uid_t) -1)

/* A step takes the request over. */
typedef void (*RequestStep)(Request *request);

struct Request {
        Manager *manager;
        sd_bus_message *message;
        sd_bus_message *reply; /* prepared answer; NULL: an empty one */
        char *container;       /* from the object's path; NULL: a method of the manager */
        char *text;            /* for the steps */
        uint64_t flags;        /* for the steps */
        RequestStep next;
        bool awaits_failure; /* next is to be called when the container's failure was told */

        const char *action; /* CTVIRT_ACTION_*; NULL: everybody may do this */
        uid_t uid;          /* the sender's, or UID_UNKNOWN */
        RequestStage stage;
        sd_bus_slot *check_slot; /* the question to polkit; NULL: none */
        sd_bus_slot *leave_slot; /* does the sender leave meanwhile? */
        uint64_t check_id;

        /* Whoever keeps a pointer to the request for longer than the bus lives learns of its end.
         */
        void (*on_end)(void *userdata);
        void *userdata;
        TAILQ_ENTRY(Request) entry;
};

typedef TAILQ_HEAD(RequestList, Request) RequestList; /* oldest first */

/* Takes the call over: asks whether its sender may do `action` (CTVIRT_ACTION_*), then goes on with
 * next. The action is a constant. To be returned by a method handler: 1, or negative errno (no
 * request was made). */
int request_begin(Manager *m, sd_bus_message *message, const char *action, RequestStep next);

/* For a call that everybody may make. */
int request_begin_free(Manager *m, sd_bus_message *message, RequestStep next);

/* The container that the call was made on; NULL if it is gone by now. */
Container *request_container(const Request *request);

/* Calls another service; on_reply gets the request as userdata. When the call cannot even be sent,
 * the request is answered with that. types may be NULL. */
void request_call(Request *request, BusCallHandler on_reply, const char *destination,
                  const char *path, const char *interface, const char *member, const char *types,
                  ...);

/* The ends. All of them free the request. */
void request_answer(Request *request);
void request_fail(Request *request, const char *error_name, const char *format, ...) _printf_(3, 4);
void request_fail_errno(Request *request, int error, const Error *err);

void request_list_discard(RequestList *list);

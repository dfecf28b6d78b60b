/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/bus_calls.h"

#include <sys/queue.h>

typedef struct Call {
        BusCalls *calls;
        sd_bus_message *message;
        uint64_t timeout_usec;
        BusCallHandler handler;
        void *userdata;
        sd_bus_slot *slot; /* NULL: not sent yet */
        TAILQ_ENTRY(Call) entry;
} Call;

typedef TAILQ_HEAD(CallList, Call) CallList;

struct BusCalls {
        sd_bus *bus;
        unsigned window;
        unsigned n_sent;
        CallList waiting;
        CallList sent;
};

static Call *call_free(Call *call) {
        if (!call)
                return NULL;
        (void) sd_bus_slot_unref(call->slot);
        (void) sd_bus_message_unref(call->message);
        free(call);
        return NULL;
}

DEFINE_CLEANUP(Call *, call_free)

/* Of a call that is in no list. */
static void call_finish(Call *call, sd_bus_message *reply, const sd_bus_error *error) {
        if (call->handler)
                call->handler(reply, error, call->userdata);
        (void) call_free(call);
}

static int call_send(Call *call, sd_bus_message_handler_t on_reply) {
        BusCalls *calls = call->calls;
        int r;

        r = sd_bus_call_async(calls->bus, &call->slot, call->message, on_reply, call,
                              call->timeout_usec);
        if (r < 0)
                return r;
        TAILQ_INSERT_TAIL(&calls->sent, call, entry);
        calls->n_sent++;
        return 0;
}

static void send_waiting(BusCalls *calls, sd_bus_message_handler_t on_reply) {
        while (calls->n_sent < calls->window && !TAILQ_EMPTY(&calls->waiting)) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                Call *call = TAILQ_FIRST(&calls->waiting);
                int r;

                TAILQ_REMOVE(&calls->waiting, call, entry);
                r = call_send(call, on_reply);
                if (r >= 0)
                        continue;
                (void) sd_bus_error_set_errno(&error, r);
                call_finish(call, NULL, &error);
        }
}

static int calls_on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Call *call = userdata;
        BusCalls *calls = call->calls;

        TAILQ_REMOVE(&calls->sent, call, entry);
        calls->n_sent--;
        send_waiting(calls, calls_on_reply);
        call_finish(call, reply, sd_bus_message_get_error(reply));
        return 0;
}

int bus_calls_new(sd_bus *bus, unsigned window, BusCalls **ret) {
        BusCalls *calls;

        assert(window > 0);

        calls = calloc(1, sizeof(*calls));
        if (!calls)
                return -ENOMEM;
        calls->bus = sd_bus_ref(bus);
        calls->window = window;
        TAILQ_INIT(&calls->waiting);
        TAILQ_INIT(&calls->sent);
        *ret = calls;
        return 0;
}

int bus_calls_add(BusCalls *calls, sd_bus_message *m, uint64_t timeout_usec, BusCallHandler handler,
                  void *userdata) {
        _cleanup_(call_freep) Call *call = NULL;
        int r;

        call = calloc(1, sizeof(*call));
        if (!call)
                return -ENOMEM;
        *call = (Call){
                .calls = calls,
                .message = sd_bus_message_ref(m),
                .timeout_usec = timeout_usec,
                .handler = handler,
                .userdata = userdata,
        };

        if (calls->n_sent < calls->window && TAILQ_EMPTY(&calls->waiting)) {
                r = call_send(call, calls_on_reply);
                if (r < 0)
                        return r;
        } else
                TAILQ_INSERT_TAIL(&calls->waiting, call, entry);

        (void) TAKE_PTR(call);
        return 0;
}

static void free_all(CallList *list) {
        Call *call;

        while ((call = TAILQ_FIRST(list))) {
                TAILQ_REMOVE(list, call, entry);
                (void) call_free(call);
        }
}

BusCalls *bus_calls_free(BusCalls *calls) {
        if (!calls)
                return NULL;
        free_all(&calls->waiting);
        free_all(&calls->sent);
        (void) sd_bus_unref(calls->bus);
        free(calls);
        return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/request.h"

#include <stdarg.h>

#include "agent/admission.h"
#include "agent/api.h"
#include "agent/bus_errors.h"
#include "agent/manager.h"
#include "base/log.h"

#define CALL_TIMEOUT_USEC (UINT64_C(90) * 1000 * 1000)

static Request *request_free(Request *request) {
        if (!request)
                return NULL;

        TAILQ_REMOVE(&request->manager->requests, request, entry);
        if (request->on_end)
                request->on_end(request->userdata);
        sd_bus_slot_unref(request->check_slot);
        sd_bus_slot_unref(request->leave_slot);
        sd_bus_message_unref(request->reply);
        sd_bus_message_unref(request->message);
        free(request->container);
        free(request->text);
        free(request);
        return NULL;
}

static int request_new(Manager *m, sd_bus_message *message, const char *action, RequestStep next,
                       Request **ret) {
        _cleanup_free_ char *container = NULL;
        Request *request;
        int r;

        r = sd_bus_path_decode(sd_bus_message_get_path(message), CTVIRT_BUS_CONTAINER_PREFIX,
                               &container);
        if (r < 0)
                return r;

        request = calloc(1, sizeof(*request));
        if (!request)
                return -ENOMEM;

        request->manager = m;
        request->message = sd_bus_message_ref(message);
        request->container = TAKE_PTR(container);
        request->action = action;
        request->next = next;
        request->uid = UID_UNKNOWN;
        TAILQ_INSERT_TAIL(&m->requests, request, entry);
        *ret = request;
        return 0;
}

int request_begin(Manager *m, sd_bus_message *message, const char *action, RequestStep next) {
        Request *request;
        int r;

        r = admission_refuse(m, message);
        if (r != 0)
                return r;
        r = request_new(m, message, action, next, &request);
        if (r < 0)
                return r;

        admission_begin(request);
        return 1;
}

int request_begin_free(Manager *m, sd_bus_message *message, RequestStep next) {
        return request_begin(m, message, NULL, next);
}

Container *request_container(const Request *request) {
        if (!request->container)
                return NULL;
        return container_table_by_name(&request->manager->containers, request->container);
}

void request_call(Request *request, BusCallHandler on_reply, const char *destination,
                  const char *path, const char *interface, const char *member, const char *types,
                  ...) {
        sd_bus_message *call = NULL;
        va_list ap;
        int r;

        r = sd_bus_message_new_method_call(request->manager->bus, &call, destination, path,
                                           interface, member);
        if (r >= 0 && types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(call, types, ap);
                va_end(ap);
        }
        if (r >= 0)
                r = bus_calls_add(request->manager->calls, call, CALL_TIMEOUT_USEC, on_reply,
                                  request);
        sd_bus_message_unref(call);
        if (r < 0)
                request_fail_errno(request, r, NULL);
}

/* The one who asked may have gone; then there is nobody to tell, and nothing else to do. */
static void log_unsent(const Request *request, int r) {
        if (r < 0)
                log_errno(LOG_DEBUG, r, "Could not answer %s()",
                          sd_bus_message_get_member(request->message));
}

void request_answer(Request *request) {
        int r;

        if (request->reply)
                r = sd_bus_send(request->manager->bus, request->reply, NULL);
        else
                r = sd_bus_reply_method_return(request->message, NULL);
        log_unsent(request, r);
        request_free(request);
}

void request_fail(Request *request, const char *error_name, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        log_unsent(request, sd_bus_reply_method_errorfv(request->message, error_name, format, ap));
        va_end(ap);
        request_free(request);
}

void request_fail_errno(Request *request, int error, const Error *err) {
        sd_bus_error bus_error = SD_BUS_ERROR_NULL;

        (void) bus_error_from(&bus_error, error, err);
        log_unsent(request, sd_bus_reply_method_error(request->message, &bus_error));
        sd_bus_error_free(&bus_error);
        request_free(request);
}

void request_list_discard(RequestList *list) {
        Request *request;

        while ((request = TAILQ_FIRST(list)))
                request_free(request);
}

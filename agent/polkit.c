/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/polkit.h"

#include "agent/manager.h"
#include "base/log.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define CHECK_ALLOW_USER_INTERACTION UINT32_C(1)

/* A person may be typing a password. */
#define CHECK_TIMEOUT_USEC (UINT64_C(5) * 60 * 1000 * 1000)
/* dbus-daemon allows a connection 128 unanswered calls, those of BusCalls and UnitClient included.
 */
#define CHECKS_MAX 32
#define USER_CHECKS_MAX 8

#define CHECK_ID_MAX 32

static void deny(Request *request, const char *reason) {
        request_fail(request, SD_BUS_ERROR_ACCESS_DENIED, "access denied%s%s", reason ? ": " : "",
                     reason ? reason : "");
}

static const char *check_name(const Request *request, char buffer[static CHECK_ID_MAX]) {
        (void) snprintf(buffer, CHECK_ID_MAX, "ctvirt-%llu",
                        (unsigned long long) request->check_id);
        return buffer;
}

static void end_check(Request *request) {
        request->check_slot = sd_bus_slot_unref(request->check_slot);
        request->leave_slot = sd_bus_slot_unref(request->leave_slot);
}

/* Without it polkit's agent would go on asking, and the call stay open on the bus. */
static void cancel_check(const Request *request) {
        sd_bus_message *call = NULL;
        char name[CHECK_ID_MAX];
        int r;

        r = sd_bus_message_new_method_call(request->manager->bus, &call, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CancelCheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(call, "s", check_name(request, name));
        if (r >= 0)
                r = sd_bus_message_set_expect_reply(call, false);
        if (r >= 0)
                r = sd_bus_send(request->manager->bus, call, NULL);
        sd_bus_message_unref(call);
        if (r < 0)
                log_errno(LOG_DEBUG, r, "Could not take a question to polkit back");
}

static void decide(Request *request, sd_bus_message *reply) {
        int authorized, challenge, r;

        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_STRUCT, "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
        if (r < 0)
                deny(request, "polkit's answer was not understood");
        else if (authorized)
                request->next(request);
        else if (challenge)
                request_fail(request, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                             "authentication is required");
        else
                deny(request, NULL);
}

static int on_decision(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Request *request = userdata;

        end_check(request);
        if (sd_bus_message_is_method_error(reply, NULL)) {
                cancel_check(request);
                deny(request, "only root may do this, as polkit does not answer on this host");
        } else
                decide(request, reply);
        return 0;
}

static int on_leave(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Request *request = userdata;

        /* Anybody might make the rest up. */
        if (!streq_ptr(sd_bus_message_get_sender(message), "org.freedesktop.DBus"))
                return 0;
        cancel_check(request);
        deny(request, "the caller has gone");
        return 0;
}

static int watch_sender(Request *request, const char *sender) {
        char rule[512];
        int n;

        n = snprintf(rule, sizeof(rule),
                     "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                     "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
                     sender);
        if (n < 0 || (size_t) n >= sizeof(rule))
                return -EINVAL;
        return sd_bus_add_match_async(request->manager->bus, &request->leave_slot, rule, on_leave,
                                      NULL, request);
}

static int ask_polkit(Request *request) {
        const char *sender = sd_bus_message_get_sender(request->message);
        sd_bus_message *call = NULL;
        char name[CHECK_ID_MAX];
        uint32_t flags = 0;
        int r;

        if (sd_bus_message_get_allow_interactive_authorization(request->message) > 0)
                flags |= CHECK_ALLOW_USER_INTERACTION;
        request->check_id = ++request->manager->last_check_id;

        r = sd_bus_message_new_method_call(request->manager->bus, &call, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(call, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name",
                                          "s", sender, request->action, 0, flags,
                                          check_name(request, name));
        if (r >= 0)
                r = watch_sender(request, sender);
        if (r >= 0)
                r = sd_bus_call_async(request->manager->bus, &request->check_slot, call,
                                      on_decision, request, CHECK_TIMEOUT_USEC);
        sd_bus_message_unref(call);
        return r;
}

static bool too_many_checks(const Request *request) {
        size_t n_all = 0, n_user = 0;
        const Request *i;

        TAILQ_FOREACH(i, &request->manager->requests, entry) {
                if (!i->check_slot)
                        continue;
                n_all++;
                n_user += i->uid == request->uid;
        }
        return n_all >= CHECKS_MAX || n_user >= USER_CHECKS_MAX;
}

void polkit_authorize(Request *request) {
        int r;

        if (too_many_checks(request)) {
                request_fail(request, SD_BUS_ERROR_LIMITS_EXCEEDED,
                             "too many requests wait for an authorization");
                return;
        }

        r = ask_polkit(request);
        if (r < 0)
                request_fail_errno(request, r, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/polkit.h"

#include "agent/manager.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define CHECK_ALLOW_USER_INTERACTION UINT32_C(1)

#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

static void deny(Request *request, const char *reason) {
        request_fail(request, SD_BUS_ERROR_ACCESS_DENIED, "access denied%s%s", reason ? ": " : "",
                     reason ? reason : "");
}

static void go_on(Request *request) {
        free(request->text);
        request->text = NULL;
        request->next(request);
}

static int on_decision(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Request *request = userdata;
        int authorized, challenge, r;

        if (sd_bus_message_is_method_error(reply, NULL)) {
                deny(request, "only root may do this, as polkit does not answer on this host");
                return 0;
        }

        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_STRUCT, "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
        if (r < 0)
                deny(request, "polkit's answer was not understood");
        else if (authorized)
                go_on(request);
        else if (challenge)
                request_fail(request, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                             "authentication is required");
        else
                deny(request, NULL);
        return 0;
}

/* Without a time limit: a person may be typing a password. */
static int ask_polkit(Request *request, const char *action) {
        sd_bus_message *call = NULL;
        uint32_t flags = 0;
        int r;

        if (sd_bus_message_get_allow_interactive_authorization(request->message) > 0)
                flags |= CHECK_ALLOW_USER_INTERACTION;

        r = sd_bus_message_new_method_call(request->manager->bus, &call, POLKIT_NAME, POLKIT_PATH,
                                           POLKIT_INTERFACE, "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(call, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name",
                                          "s", sd_bus_message_get_sender(request->message), action,
                                          0, flags, "");
        if (r >= 0) {
                request->slot = sd_bus_slot_unref(request->slot);
                r = sd_bus_call_async(request->manager->bus, &request->slot, call, on_decision,
                                      request, UINT64_MAX);
        }

        sd_bus_message_unref(call);
        return r;
}

/* request->text holds the action while we wait for the sender's identity. */
static void on_sender(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        Request *request = userdata;
        uint32_t uid;
        int r;

        /* An error means that the sender has gone, so that nobody waits for an answer. */
        if (error || sd_bus_message_read(reply, "u", &uid) < 0) {
                deny(request, "the caller is not known");
                return;
        }

        if (uid == 0) {
                go_on(request);
                return;
        }

        r = ask_polkit(request, request->text);
        if (r < 0)
                request_fail_errno(request, r, NULL);
}

void polkit_authorize(Request *request, const char *action) {
        request->text = strdup(action);
        if (!request->text) {
                request_fail_errno(request, -ENOMEM, NULL);
                return;
        }

        /* Credentials are asked for by a call of our own, since sd_bus_query_sender_creds() waits.
         */
        request_call(request, on_sender, DBUS_NAME, DBUS_PATH, DBUS_NAME, "GetConnectionUnixUser",
                     "s", sd_bus_message_get_sender(request->message));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/admission.h"

#include "agent/manager.h"
#include "agent/polkit.h"

/* Open requests. Those of a sender who is not known yet are bounded by root's limit. */
#define SENDER_MAX 32
#define OTHERS_MAX 256 /* of all senders but root together */
#define ROOT_SENDER_MAX 1024
#define ALL_MAX 8192

#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

typedef struct Load {
        size_t n_sender; /* of this sender */
        size_t n_sender_admitted;
        size_t n_others; /* of all who are not known to be root, admitted or being checked */
        size_t n_all;
        uid_t uid; /* of this sender */
        bool asked;
} Load;

static bool is_of(const Request *request, const char *sender) {
        return streq(sd_bus_message_get_sender(request->message), sender);
}

static Load load_of(const Manager *m, const char *sender) {
        Load load = { .uid = sender_cache_find(&m->senders, sender) };
        const Request *i;

        TAILQ_FOREACH(i, &m->requests, entry) {
                bool admitted = i->stage == REQUEST_STAGE_ADMITTED;

                load.n_all++;
                if (admitted && i->uid != 0)
                        load.n_others++;
                if (!is_of(i, sender))
                        continue;
                load.n_sender++;
                load.n_sender_admitted += admitted;
                load.asked |= i->stage == REQUEST_STAGE_ASKED;
                if (i->uid != UID_UNKNOWN)
                        load.uid = i->uid;
        }
        return load;
}

static bool has_room(const Load *load) {
        return load->uid == 0 ||
               (load->n_sender_admitted < SENDER_MAX && load->n_others < OTHERS_MAX);
}

static int too_many(const Load *load) {
        if (load->uid != 0 && load->uid != UID_UNKNOWN)
                return !has_room(load);
        return load->n_sender >= ROOT_SENDER_MAX || load->n_all >= ALL_MAX;
}

int admission_refuse(Manager *m, sd_bus_message *message) {
        const Load load = load_of(m, sd_bus_message_get_sender(message));
        int r;

        if (!too_many(&load))
                return 0;
        r = sd_bus_reply_method_errorf(message, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                       "too many requests are under way");
        return r < 0 ? r : 1;
}

/* Whose it is is known now, or does not matter. */
static void go_on(Request *request) {
        const Load load = load_of(request->manager, sd_bus_message_get_sender(request->message));

        if (!has_room(&load)) {
                request_fail(request, SD_BUS_ERROR_LIMITS_EXCEEDED,
                             "too many requests are under way");
                return;
        }

        request->stage = REQUEST_STAGE_ADMITTED;
        if (request->action && request->uid != 0)
                polkit_authorize(request);
        else
                request->next(request);
}

static Request *oldest_undecided(Manager *m, const char *sender) {
        Request *i;

        TAILQ_FOREACH(i, &m->requests, entry)
                if (i->stage < REQUEST_STAGE_ADMITTED && is_of(i, sender))
                        return i;
        return NULL;
}

/* Everything that the sender has sent meanwhile goes on, in the order in which it came. */
static void on_user(sd_bus_message *reply, const sd_bus_error *error, void *userdata) {
        Request *request = userdata, *i;
        Manager *m = request->manager;
        _cleanup_free_ char *sender = strdup(sd_bus_message_get_sender(request->message));
        uint32_t uid;

        /* An error means that the sender has gone, so that nobody waits for an answer. */
        if (!sender || error || sd_bus_message_read(reply, "u", &uid) < 0)
                uid = UID_UNKNOWN;
        if (!sender) {
                request_fail_errno(request, -ENOMEM, NULL);
                return;
        }

        if (uid != UID_UNKNOWN)
                sender_cache_add(&m->senders, sender, uid);
        TAILQ_FOREACH(i, &m->requests, entry)
                if (is_of(i, sender))
                        i->uid = uid;
        while ((i = oldest_undecided(m, sender))) {
                if (uid == UID_UNKNOWN)
                        request_fail(i, SD_BUS_ERROR_ACCESS_DENIED,
                                     "access denied: the caller is not known");
                else
                        go_on(i);
        }
}

/* By a call of our own, since sd_bus_query_sender_creds() waits. */
static void ask_user(Request *request) {
        request->stage = REQUEST_STAGE_ASKED;
        request_call(request, on_user, DBUS_NAME, DBUS_PATH, DBUS_NAME, "GetConnectionUnixUser",
                     "s", sd_bus_message_get_sender(request->message));
}

void admission_begin(Request *request) {
        const Load load = load_of(request->manager, sd_bus_message_get_sender(request->message));

        request->uid = load.uid;
        if (load.asked)
                return;
        if (load.uid != UID_UNKNOWN || (!request->action && has_room(&load)))
                go_on(request);
        else
                ask_user(request);
}

void admission_ask_also(Request *request, const char *action, RequestStep next) {
        request->action = action;
        request->next = next;
        if (request->uid != 0)
                polkit_authorize(request);
        else
                next(request);
}

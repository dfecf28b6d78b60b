/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/events.h"

#include <time.h>

#include "agent/api.h"
#include "base/log.h"

static uint64_t now_realtime_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

static void emit(Manager *m, const char *signal, const char *name, const Uuid *uuid,
                 const char *event, const char *detail) {
        char text[UUID_STRING_MAX] = "";
        int r;

        if (!m->bus)
                return;

        if (uuid && !uuid_is_null(uuid))
                (void) uuid_to_string(uuid, text);
        r = sd_bus_emit_signal(m->bus, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, signal, "sssst", name,
                               text, event, detail, now_realtime_usec());
        if (r < 0)
                log_warning_errno(r, "Could not send %s %s of '%s'", signal, event, name);
}

void events_container_name(Manager *m, const char *name, const Uuid *uuid, const char *event,
                           const char *detail) {
        log_info("Container '%s': %s %s", name, event, detail);
        emit(m, "ContainerEvent", name, uuid, event, detail);
}

void events_container(Manager *m, const Container *c, const char *event, const char *detail) {
        events_container_name(m, c->name, c->def ? &c->def->uuid : NULL, event, detail);
}

void events_network(Manager *m, const Network *n, const char *event, const char *detail) {
        log_info("Network '%s': %s%s%s", n->name, event, *detail ? " " : "", detail);
        emit(m, "NetworkEvent", n->name, &n->uuid, event, detail);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/bus_guard.h"

#include "base/macro.h"

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        return sd_bus_message_is_signal(m, NULL, NULL) > 0 && sd_bus_message_get_destination(m) &&
               !streq_ptr(sd_bus_message_get_sender(m), "org.freedesktop.DBus");
}

int bus_guard_add(sd_bus *bus) {
        return sd_bus_add_filter(bus, NULL, on_message, NULL);
}

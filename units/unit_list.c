/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_list.h"

#include "base/strv.h"

#define UNIT_PATTERN "systemd-nspawn@*.service"

static int append_states(sd_bus_message *m, UnitListKind kind) {
        switch (kind) {
        case UNIT_LIST_ALL:
                return sd_bus_message_append(m, "as", 0);
        case UNIT_LIST_TO_RESET:
                return sd_bus_message_append(m, "as", 2, "failed", "deactivating");
        }
        return -EINVAL;
}

int unit_list_new_call(sd_bus *bus, UnitListKind kind, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                bus, &m, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", "ListUnitsByPatterns");
        if (r >= 0)
                r = append_states(m, kind);
        if (r >= 0)
                r = sd_bus_message_append(m, "as", 1, UNIT_PATTERN);
        if (r >= 0)
                *ret = TAKE_PTR(m);
        return r < 0 ? r : 0;
}

int unit_list_begin(sd_bus_message *reply) {
        return sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
}

int unit_list_next(sd_bus_message *reply, ListedUnit *ret) {
        return sd_bus_message_read(reply, "(ssssssouso)", &ret->name, NULL, &ret->load_state,
                                   &ret->active_state, &ret->sub_state, NULL, &ret->path, NULL,
                                   NULL, NULL);
}

int unit_list_names(sd_bus_message *reply, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        ListedUnit unit;
        int r;

        r = unit_list_begin(reply);
        if (r < 0)
                return r;
        while ((r = unit_list_next(reply, &unit)) > 0) {
                r = strv_extend(&names, unit.name);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                *ret = TAKE_PTR(names);
        return r;
}

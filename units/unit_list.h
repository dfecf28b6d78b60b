#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Systemd's list of the systemd-nspawn@ units that it has loaded: ListUnitsByPatterns() of
 * org.freedesktop.systemd1(5), its call and its answer.
 */

#include <systemd/sd-bus.h>

#include "base/macro.h"

/* Strings are the message's. */
typedef struct ListedUnit {
        const char *name;
        const char *load_state;
        const char *active_state;
        const char *sub_state;
        const char *path;
} ListedUnit;

/* state: only units in this state ("failed"); NULL: all. *ret is owned by the caller. */
int unit_list_new_call(sd_bus *bus, const char *state, sd_bus_message **ret);

/* The answer is read unit by unit: unit_list_begin(), then unit_list_next() as long as it returns 1;
 * 0: that was all. Negative errno: the answer is not such a list. */
int unit_list_begin(sd_bus_message *reply);
int unit_list_next(sd_bus_message *reply, ListedUnit *ret);

/* All names; NULL in *ret if there are none. */
int unit_list_names(sd_bus_message *reply, char ***ret);

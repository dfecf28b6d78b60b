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

typedef enum UnitListKind {
        UNIT_LIST_ALL,
        /* Those whose next start may be one too many for systemd's start limit, until they are
         * reset: the failed ones, and those that are stopping. A start that waits for the end of a
         * stop counts anew at each step of that stop (service_can_start() in src/core/service.c). */
        UNIT_LIST_TO_RESET,
} UnitListKind;

/* *ret is owned by the caller. */
int unit_list_new_call(sd_bus *bus, UnitListKind kind, sd_bus_message **ret);

/* The answer is read unit by unit: unit_list_begin(), then unit_list_next() as long as it returns 1;
 * 0: that was all. Negative errno: the answer is not such a list. */
int unit_list_begin(sd_bus_message *reply);
int unit_list_next(sd_bus_message *reply, ListedUnit *ret);

/* All names; NULL in *ret if there are none. */
int unit_list_names(sd_bus_message *reply, char ***ret);

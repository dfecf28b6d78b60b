#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An a{sv} of the agent's API into a struct, by a table of its keys. Keys that we do not know are
 * passed over, and so are values of another type; a key that is missing leaves "" or 0.
 */

#include "agent/cli/bus.h"

/* One key: its D-Bus type and the member of the struct that takes it. */
typedef struct InfoField {
        const char *key;
        const char *type; /* "s", "as", "b", "u", "t" */
        size_t offset;
} InfoField;

#define FIELD(struct_, key_, type_, member_)                                                       \
        { .key = (key_), .type = (type_), .offset = offsetof(struct_, member_) }

/* A table of them ends with an empty one. Strings that are not there become "". */
int info_read(sd_bus_message *m, const InfoField *fields, void *info);
void info_done(const InfoField *fields, void *info);

/* An array of a{sv} into an array of structs of the given size. *items and *n are right after
 * every step, so that the list can be freed after a failure. */
int info_read_list(sd_bus_message *m, const InfoField *fields, size_t size, void **items,
                   size_t *n);

/* Ask the agent; they print what went wrong. */
int info_get(Cli *cli, const char *path, const char *interface, const InfoField *fields, void *info,
             const char *what);

typedef struct BusQuestion {
        const char *path;
        const char *interface;
        const char *method;
} BusQuestion;

int info_list_get(Cli *cli, const BusQuestion *q, const InfoField *fields, size_t size,
                  void **items, size_t *n, const char *what);

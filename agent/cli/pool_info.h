#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pool and volumes as the agent tells of them (agent/api.h).
 */

#include "agent/cli/info_read.h"

typedef struct PoolState {
        char *name, *path, *backend;
        uint64_t capacity, allocation, available;
        uint32_t volumes;
        bool quota;
} PoolState;

/* UINT64_MAX: not known, or none. */
typedef struct VolumeState {
        char *name, *path, *type;
        uint64_t used, limit, created_usec;
        bool read_only;
} VolumeState;

typedef struct VolumeStates {
        VolumeState *items;
        size_t n;
} VolumeStates;

typedef struct BaseState {
        char *key, *description;
        uint64_t created_usec, used_usec;
} BaseState;

typedef struct BaseStates {
        BaseState *items;
        size_t n;
} BaseStates;

/* They print what went wrong. */
int pool_state_get(Cli *cli, PoolState *ret);
int volume_states_get(Cli *cli, VolumeStates *ret);
int base_states_get(Cli *cli, BaseStates *ret);
/* Prints nothing. -ENOENT: there is none. */
int volume_state_get(Cli *cli, const char *name, VolumeState *ret, sd_bus_error *error);

void pool_state_done(PoolState *p);
void volume_state_done(VolumeState *v);
void volume_states_done(VolumeStates *v);
void base_states_done(BaseStates *b);
#define _cleanup_pool_state_ _cleanup_(pool_state_done)
#define _cleanup_volume_state_ _cleanup_(volume_state_done)
#define _cleanup_volume_states_ _cleanup_(volume_states_done)
#define _cleanup_base_states_ _cleanup_(base_states_done)

#define OPTION_VOLUME(name_)                                                                       \
        {                                                                                          \
                .name = (name_), .type = OPTION_STRING, .positional = true, .required = true,      \
                .complete = complete_volumes, .help = "name of the volume"                         \
        }

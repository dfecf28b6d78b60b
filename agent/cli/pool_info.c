/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/pool_info.h"

static const InfoField pool_fields[] = {
        FIELD(PoolState, "Name", "s", name),
        FIELD(PoolState, "Path", "s", path),
        FIELD(PoolState, "Backend", "s", backend),
        FIELD(PoolState, "Quota", "b", quota),
        FIELD(PoolState, "Capacity", "t", capacity),
        FIELD(PoolState, "Allocation", "t", allocation),
        FIELD(PoolState, "Available", "t", available),
        FIELD(PoolState, "Volumes", "u", volumes),
        { 0 },
};

static const InfoField volume_fields[] = {
        FIELD(VolumeState, "Name", "s", name),
        FIELD(VolumeState, "Path", "s", path),
        FIELD(VolumeState, "Type", "s", type),
        FIELD(VolumeState, "ReadOnly", "b", read_only),
        FIELD(VolumeState, "CreatedUSec", "t", created_usec),
        FIELD(VolumeState, "Used", "t", used),
        FIELD(VolumeState, "Limit", "t", limit),
        { 0 },
};

static const InfoField base_fields[] = {
        FIELD(BaseState, "Key", "s", key),
        FIELD(BaseState, "Description", "s", description),
        FIELD(BaseState, "CreatedUSec", "t", created_usec),
        FIELD(BaseState, "UsedUSec", "t", used_usec),
        { 0 },
};

int pool_state_get(Cli *cli, PoolState *ret) {
        return info_get(cli, CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL, pool_fields, ret, "the pool");
}

/* No limit is ever 0. */
static void complete(VolumeState *v) {
        if (v->used == 0)
                v->used = UINT64_MAX;
        if (v->limit == 0)
                v->limit = UINT64_MAX;
}

int volume_states_get(Cli *cli, VolumeStates *ret) {
        static const BusQuestion question = { CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL,
                                              "ListVolumes" };
        void *items = NULL;
        int r;

        r = info_list_get(cli, &question, volume_fields, sizeof(*ret->items), &items, &ret->n,
                          "volumes");
        ret->items = items;
        for (size_t i = 0; i < ret->n; i++)
                complete(&ret->items[i]);
        return r;
}

int base_states_get(Cli *cli, BaseStates *ret) {
        static const BusQuestion question = { CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL, "ListBases" };
        void *items = NULL;
        int r;

        r = info_list_get(cli, &question, base_fields, sizeof(*ret->items), &items, &ret->n,
                          "bases");
        ret->items = items;
        return r;
}

int volume_state_get(Cli *cli, const char *name, VolumeState *ret, sd_bus_error *error) {
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        int r;

        r = bus_read(cli, CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL, "GetVolume", &reply, error, "s",
                     name);
        if (r >= 0)
                r = info_read(reply, volume_fields, ret);
        if (r < 0)
                return sd_bus_error_has_name(error, CTVIRT_ERROR_NO_SUCH_VOLUME) ? -ENOENT : r;
        complete(ret);
        return 0;
}

void pool_state_done(PoolState *p) {
        info_done(pool_fields, p);
}

void volume_state_done(VolumeState *v) {
        info_done(volume_fields, v);
}

void volume_states_done(VolumeStates *v) {
        for (size_t i = 0; i < v->n; i++)
                volume_state_done(&v->items[i]);
        free(v->items);
}

void base_states_done(BaseStates *b) {
        for (size_t i = 0; i < b->n; i++)
                info_done(base_fields, &b->items[i]);
        free(b->items);
}

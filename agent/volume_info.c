/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/volume_info.h"

void pool_facts_done(PoolFacts *f) {
        free(f->path);
        volume_list_done(&f->volumes);
        *f = (PoolFacts){ 0 };
}

int pool_info_append(sd_bus_message *m, const PoolFacts *f) {
        return sd_bus_message_append(
                m, "a{sv}", 8, "Name", "s", POOL_NAME, "Path", "s", f->path, "Backend", "s",
                f->backend->name, "Quota", "b", (int) f->info.has_quota, "Capacity", "t",
                f->info.capacity, "Allocation", "t", f->info.allocation, "Available", "t",
                f->info.available, "Volumes", "u", (uint32_t) f->volumes.n_items);
}

static int append_sizes(sd_bus_message *m, const Volume *v) {
        int r = 0;

        if (v->used != UINT64_MAX)
                r = sd_bus_message_append(m, "{sv}", "Used", "t", v->used);
        if (r >= 0 && v->limit != UINT64_MAX)
                r = sd_bus_message_append(m, "{sv}", "Limit", "t", v->limit);
        return r;
}

int volume_info_append(sd_bus_message *m, const char *pool_path, const Volume *v) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (asprintf(&path, "%s/%s%s", pool_path, v->name, v->type == VOLUME_RAW ? ".raw" : "") <
            0) {
                path = NULL;
                return -ENOMEM;
        }
        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}", "Name", "s", v->name, "Path",
                                          "s", path, "Type", "s", volume_type_to_string(v->type),
                                          "ReadOnly", "b", (int) v->read_only, "CreatedUSec", "t",
                                          v->created_usec);
        if (r >= 0)
                r = append_sizes(m, v);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int snapshot_info_append(sd_bus_message *m, const Snapshot *s) {
        return sd_bus_message_append(m, "(ssts)", s->name, s->description ? s->description : "",
                                     s->created_usec, snapshot_state_to_string(s->state));
}

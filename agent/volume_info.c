/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/volume_info.h"

int pool_info_append(sd_bus_message *m, const Pool *p) {
        _cleanup_volume_list_ VolumeList list = { 0 };
        PoolInfo info;
        int r;

        r = pool_info(p, &info);
        if (r >= 0)
                r = volume_list(p, &list);
        if (r < 0)
                return r;
        return sd_bus_message_append(m, "a{sv}", 8, "Name", "s", POOL_NAME, "Path", "s", p->path,
                                     "Backend", "s", p->backend->name, "Quota", "b",
                                     (int) info.has_quota, "Capacity", "t", info.capacity,
                                     "Allocation", "t", info.allocation, "Available", "t",
                                     info.available, "Volumes", "u", (uint32_t) list.n_items);
}

static int append_sizes(sd_bus_message *m, const Volume *v) {
        int r = 0;

        if (v->used != UINT64_MAX)
                r = sd_bus_message_append(m, "{sv}", "Used", "t", v->used);
        if (r >= 0 && v->limit != UINT64_MAX)
                r = sd_bus_message_append(m, "{sv}", "Limit", "t", v->limit);
        return r;
}

int volume_info_append(sd_bus_message *m, const Pool *p, const Volume *v) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (asprintf(&path, "%s/%s%s", p->path, v->name, v->type == VOLUME_RAW ? ".raw" : "") < 0) {
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

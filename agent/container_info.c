/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/container_info.h"

#include "agent/api.h"
#include "agent/lifecycle.h"
#include "agent/unit_transition.h"
#include "units/generated.h"

#define OS_TYPE "exe" /* as libvirt calls what a container runs */

static const char *text(const char *s) {
        return s ? s : "";
}

int append_strv_entry(sd_bus_message *m, const char *key, char *const *v) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, SD_BUS_TYPE_VARIANT, "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, (char **) v);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_identity(sd_bus_message *m, const Container *c) {
        _cleanup_free_ char *path = NULL;
        char uuid[UUID_STRING_MAX] = "";
        int r;

        r = sd_bus_path_encode(CTVIRT_BUS_CONTAINER_PREFIX, c->name, &path);
        if (r < 0)
                return r;
        if (c->def)
                (void) uuid_to_string(&c->def->uuid, uuid);

        return sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}{sv}", /* */
                                     "Path", "o", path,             /* */
                                     "Name", "s", c->name,          /* */
                                     "UUID", "s", uuid,             /* */
                                     "Title", "s", text(c->def ? c->def->title : NULL), "Unit", "s",
                                     c->unit, /* */
                                     "Persistent", "b", (int) container_is_defined(c));
}

static int append_state(sd_bus_message *m, const Container *c) {
        _cleanup_strv_ char **waiting = NULL;
        int r;

        r = lifecycle_waiting_for(c, &waiting);
        if (r < 0)
                return r;

        r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}",        /* */
                                  "Id", "u", c->main_pid,           /* */
                                  "State", "s", container_state(c), /* */
                                  "StateReason", "s", container_state_reason(c), "Autostart", "b",
                                  (int) c->enabled, /* */
                                  "LastFailure", "s",
                                  text(c->problem ? c->problem : c->last_failure));
        if (r >= 0)
                r = append_strv_entry(m, "Bridges", c->bridges);
        return r < 0 ? r : append_strv_entry(m, "WaitingFor", waiting);
}

/* What systemd does not know is left out: 0 would be a value. */
static int append_usage(sd_bus_message *m, const UnitFacts *facts) {
        int r = 0;

        if (facts->memory_current > 0)
                r = sd_bus_message_append(m, "{sv}", "UsedMemoryKiB", "t",
                                          facts->memory_current / 1024);
        if (r >= 0 && facts->cpu_usage_nsec > 0)
                r = sd_bus_message_append(m, "{sv}", "CPUTimeNSec", "t", facts->cpu_usage_nsec);
        return r;
}

static int append_resources(sd_bus_message *m, const Container *c, const UnitFacts *facts) {
        const ContainerDef *def = c->def;
        int r;

        r = sd_bus_message_append(m, "{sv}{sv}{sv}", "OSType", "s", OS_TYPE, /* */
                                  "VCPUs", "u", (uint32_t) (def ? def->vcpus : 0), "MaxMemoryKiB",
                                  "t", def ? def->memory_kib : UINT64_C(0));
        return r < 0 ? r : append_usage(m, facts);
}

int container_info_append(sd_bus_message *m, const Container *c, const UnitFacts *facts) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r >= 0)
                r = append_identity(m, c);
        if (r >= 0)
                r = append_state(m, c);
        if (r >= 0 && facts)
                r = append_resources(m, c, facts);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/*
 * Interfaces
 */

char *container_link_outside(const Container *c, size_t interface) {
        char *link = NULL;

        if (unit_phase(c->active_state, c->sub_state) == UNIT_PHASE_UP && c->def)
                link = generated_link_outside(c->def, interface);
        return link ? link : strdup("-");
}

static int append_defined(sd_bus_message *m, const Container *c) {
        for (size_t i = 0; i < c->def->n_interfaces; i++) {
                const InterfaceDef *interface = &c->def->interfaces[i];
                _cleanup_free_ char *link = container_link_outside(c, i);
                char mac[MAC_STRING_MAX] = "-";
                int r;

                if (!link)
                        return -ENOMEM;
                if (interface->has_mac)
                        (void) mac_to_string(interface->mac, mac);
                r = sd_bus_message_append(m, "(sssss)", link,
                                          interface_type_to_string(interface->type),
                                          interface->source, "-", mac);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* nspawn has one bridged interface, whatever a person writes by hand. */
static int append_foreign_bridge(sd_bus_message *m, const Container *c, const char *bridge) {
        bool up = unit_phase(c->active_state, c->sub_state) == UNIT_PHASE_UP;
        _cleanup_free_ char *link = nspawn_bridge_link_name(c->name);
        uint8_t address[ETH_ALEN];
        char mac[MAC_STRING_MAX];

        if (!link)
                return -ENOMEM;
        nspawn_container_mac(&c->manager->machine_id, c->name, address);
        return sd_bus_message_append(m, "(sssss)", up ? link : "-", "bridge", bridge, "-",
                                     mac_to_string(address, mac));
}

static int append_foreign(sd_bus_message *m, const Container *c) {
        _cleanup_(nspawn_file_freep) NspawnFile *f = NULL;
        int r = 0;

        if (c->bridges)
                r = append_foreign_bridge(m, c, c->bridges[0]);
        if (r < 0 || nspawn_file_load(c->manager->root, c->name, &f) < 0)
                return r;

        STRV_FOREACH(parent, f->macvlans) {
                r = sd_bus_message_append(m, "(sssss)", "-", "direct", *parent, "-", "-");
                if (r < 0)
                        return r;
        }
        return 0;
}

int container_interfaces_append(sd_bus_message *m, const Container *c) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "(sssss)");
        if (r >= 0)
                r = c->def ? append_defined(m, c) : append_foreign(m, c);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

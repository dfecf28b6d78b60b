/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/info.h"

#include "agent/cli/info_read.h"
#include "base/strv.h"

static const InfoField container_fields[] = {
        FIELD(ContainerInfo, "Name", "s", name),
        FIELD(ContainerInfo, "UUID", "s", uuid),
        FIELD(ContainerInfo, "Id", "u", id),
        FIELD(ContainerInfo, "State", "s", state),
        FIELD(ContainerInfo, "StateReason", "s", state_reason),
        FIELD(ContainerInfo, "Autostart", "b", autostart),
        FIELD(ContainerInfo, "Persistent", "b", persistent),
        FIELD(ContainerInfo, "Title", "s", title),
        FIELD(ContainerInfo, "Unit", "s", unit),
        FIELD(ContainerInfo, "Bridges", "as", bridges),
        FIELD(ContainerInfo, "WaitingFor", "as", waiting_for),
        FIELD(ContainerInfo, "LastFailure", "s", last_failure),
        FIELD(ContainerInfo, "OSType", "s", os_type),
        FIELD(ContainerInfo, "VCPUs", "u", vcpus),
        FIELD(ContainerInfo, "MaxMemoryKiB", "t", max_memory_kib),
        FIELD(ContainerInfo, "UsedMemoryKiB", "t", used_memory_kib),
        FIELD(ContainerInfo, "CPUTimeNSec", "t", cpu_time_nsec),
        { 0 },
};

static const InfoField network_fields[] = {
        FIELD(NetworkInfo, "Name", "s", name),
        FIELD(NetworkInfo, "UUID", "s", uuid),
        FIELD(NetworkInfo, "Active", "b", active),
        FIELD(NetworkInfo, "Persistent", "b", persistent),
        FIELD(NetworkInfo, "Autostart", "b", autostart),
        FIELD(NetworkInfo, "Bridge", "s", bridge),
        FIELD(NetworkInfo, "ForwardMode", "s", forward_mode),
        FIELD(NetworkInfo, "Ready", "b", ready),
        FIELD(NetworkInfo, "Incarnation", "u", incarnation),
        FIELD(NetworkInfo, "Handled", "b", handled),
        FIELD(NetworkInfo, "Containers", "as", containers),
        { 0 },
};

static const InfoField agent_fields[] = {
        FIELD(AgentInfo, "Version", "s", version),
        FIELD(AgentInfo, "LibvirtURI", "s", libvirt_uri),
        FIELD(AgentInfo, "LibvirtVersion", "s", libvirt_version),
        FIELD(AgentInfo, "SystemdVersion", "u", systemd_version),
        { 0 },
};

void container_info_done(ContainerInfo *info) {
        info_done(container_fields, info);
}

void network_info_done(NetworkInfo *info) {
        info_done(network_fields, info);
}

void agent_info_done(AgentInfo *info) {
        info_done(agent_fields, info);
}

void container_list_done(ContainerList *list) {
        for (size_t i = 0; i < list->n; i++)
                container_info_done(&list->items[i]);
        free(list->items);
}

void network_list_done(NetworkList *list) {
        for (size_t i = 0; i < list->n; i++)
                network_info_done(&list->items[i]);
        free(list->items);
}

int container_info_get(Cli *cli, const BusObject *container, ContainerInfo *ret) {
        return info_get(cli, container->path, CTVIRT_BUS_CONTAINER, container_fields, ret,
                        container->name);
}

int network_info_get(Cli *cli, const BusObject *network, NetworkInfo *ret) {
        return info_get(cli, network->path, CTVIRT_BUS_NETWORK, network_fields, ret, network->name);
}

int agent_info_get(Cli *cli, AgentInfo *ret) {
        return info_get(cli, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, agent_fields, ret, "the agent");
}

int container_list_get(Cli *cli, ContainerList *ret) {
        static const BusQuestion question = { CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER,
                                              "ListContainers" };
        void *items = NULL;
        int r;

        r = info_list_get(cli, &question, container_fields, sizeof(*ret->items), &items, &ret->n,
                          "containers");
        ret->items = items;
        return r;
}

int network_list_read(sd_bus_message *reply, NetworkList *ret) {
        void *items = NULL;
        int r;

        r = info_read_list(reply, network_fields, sizeof(*ret->items), &items, &ret->n);
        ret->items = items;
        return r;
}

int network_list_get(Cli *cli, NetworkList *ret) {
        static const BusQuestion question = { CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, "ListNetworks" };
        void *items = NULL;
        int r;

        r = info_list_get(cli, &question, network_fields, sizeof(*ret->items), &items, &ret->n,
                          "networks");
        ret->items = items;
        return r;
}

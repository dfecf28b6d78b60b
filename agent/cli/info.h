#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the agent tells about containers, networks and itself (a{sv} of agent/api.h), as structs.
 * Keys that we do not know are passed over, and so are values of another type; a key that is
 * missing leaves "" or 0.
 */

#include "agent/cli/bus.h"

typedef struct ContainerInfo {
        char *name, *uuid, *state, *state_reason, *title, *unit, *last_failure, *os_type;
        char **bridges, **waiting_for;
        uint32_t id; /* 0: not running */
        uint32_t vcpus;
        uint64_t max_memory_kib, used_memory_kib, cpu_time_nsec;
        bool autostart, persistent;
} ContainerInfo;

typedef struct NetworkInfo {
        char *name, *uuid, *bridge, *forward_mode;
        char **containers;
        uint32_t incarnation; /* 0: none */
        bool active, persistent, autostart, ready, handled;
} NetworkInfo;

typedef struct AgentInfo {
        char *version, *libvirt_uri, *libvirt_version;
        uint32_t systemd_version;
} AgentInfo;

typedef struct ContainerList {
        ContainerInfo *items;
        size_t n;
} ContainerList;

typedef struct NetworkList {
        NetworkInfo *items;
        size_t n;
} NetworkList;

/* Ask the agent; they print what went wrong. */
int container_info_get(Cli *cli, const BusObject *container, ContainerInfo *ret);
int network_info_get(Cli *cli, const BusObject *network, NetworkInfo *ret);
int agent_info_get(Cli *cli, AgentInfo *ret);
int container_list_get(Cli *cli, ContainerList *ret);
int network_list_get(Cli *cli, NetworkList *ret);

/* The answer to ListNetworks(). Prints nothing. */
int network_list_read(sd_bus_message *reply, NetworkList *ret);

void container_info_done(ContainerInfo *info);
void network_info_done(NetworkInfo *info);
void agent_info_done(AgentInfo *info);
void container_list_done(ContainerList *list);
void network_list_done(NetworkList *list);

#define _cleanup_container_info_ _cleanup_(container_info_done)
#define _cleanup_network_info_ _cleanup_(network_info_done)
#define _cleanup_agent_info_ _cleanup_(agent_info_done)
#define _cleanup_container_list_ _cleanup_(container_list_done)
#define _cleanup_network_list_ _cleanup_(network_list_done)

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "monitor": what shows containers.
 */

#include <inttypes.h>

#include "agent/cli/bus.h"
#include "agent/cli/complete.h"
#include "agent/cli/info.h"
#include "agent/cli/list.h"
#include "agent/cli/pool_info.h"
#include "agent/cli/size.h"
#include "agent/cli/verbs.h"
#include "base/strv.h"

static void print_limit(Output *o, const char *key, uint64_t value, const char *unit) {
        if (value == 0)
                output_pair(o, key, "no limit");
        else
                output_pair(o, key, "%" PRIu64 "%s", value, unit);
}

static int print_words(Output *o, const char *key, char *const *words) {
        _cleanup_free_ char *joined = strv_join(words, " ");

        if (!joined)
                return -ENOMEM;
        if (*joined)
                output_pair(o, key, "%s", joined);
        return 0;
}

static void print_virsh_info(Output *o, const ContainerInfo *info) {
        if (info->id == 0)
                output_pair(o, "Id:", "-");
        else
                output_pair(o, "Id:", "%u", info->id);
        output_pair(o, "Name:", "%s", info->name);
        output_pair(o, "UUID:", "%s", *info->uuid ? info->uuid : "-");
        output_pair(o, "OS Type:", "%s", info->os_type);
        output_pair(o, "State:", "%s", info->state);
        print_limit(o, "CPU(s):", info->vcpus, "");
        if (info->cpu_time_nsec != 0)
                output_pair(o, "CPU time:", "%.1fs", (double) info->cpu_time_nsec / 1e9);
        print_limit(o, "Max memory:", info->max_memory_kib, " KiB");
        if (info->used_memory_kib != 0)
                output_pair(o, "Used memory:", "%" PRIu64 " KiB", info->used_memory_kib);
        output_pair(o, "Persistent:", "%s", info->persistent ? "yes" : "no");
        output_pair(o, "Autostart:", "%s", info->autostart ? "enable" : "disable");
}

/* What virsh does not have: where to look, and what a container that is not up waits for. */
static int print_own_info(Output *o, const ContainerInfo *info) {
        int r;

        if (*info->unit)
                output_pair(o, "Unit:", "%s", info->unit);
        r = print_words(o, "Bridges:", info->bridges);
        if (r < 0)
                return r;
        /* One that runs has lost them: its network was stopped. */
        r = print_words(o, streq(info->state, "running") ? "Not ready:" : "Waiting for:",
                        info->waiting_for);
        if (r < 0)
                return r;
        if (*info->last_failure)
                output_pair(o, "Last failure:", "%s", info->last_failure);
        return 0;
}

/* What its root takes in the pool, if that is known. */
static void print_usage(Cli *cli, const char *name) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_volume_state_ VolumeState v = { 0 };
        char size[SIZE_STRING_MAX];

        if (volume_state_get(cli, name, &v, &error) < 0)
                return;
        if (v.used != UINT64_MAX)
                output_pair(&cli->output, "Root used:", "%s", size_format(v.used, size));
        if (v.limit != UINT64_MAX)
                output_pair(&cli->output, "Root limit:", "%s", size_format(v.limit, size));
}

static int cmd_dominfo(Cli *cli, const Command *command) {
        _cleanup_container_info_ ContainerInfo info = { 0 };
        _cleanup_bus_object_ BusObject container = { 0 };
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        r = container_info_get(cli, &container, &info);
        if (r < 0)
                return r;

        print_virsh_info(&cli->output, &info);
        print_usage(cli, info.name);
        return print_own_info(&cli->output, &info);
}

static int cmd_domstate(Cli *cli, const Command *command) {
        _cleanup_container_info_ ContainerInfo info = { 0 };
        _cleanup_bus_object_ BusObject container = { 0 };
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        r = container_info_get(cli, &container, &info);
        if (r < 0)
                return r;

        if (command_flag(command, "reason"))
                output_print(&cli->output, "%s (%s)\n", info.state,
                             *info.state_reason ? info.state_reason : "unknown");
        else
                output_print(&cli->output, "%s\n", info.state);
        return 0;
}

static int print_interfaces(Cli *cli, sd_bus_message *m) {
        static const char *const header[] = { "Interface", "Type", "Source", "Model", "MAC", NULL };
        const char *name, *type, *source, *model, *mac;
        _cleanup_table_ Table *table = NULL;
        int r;

        r = table_new(&table, header);
        if (r < 0)
                return r;

        r = sd_bus_message_enter_container(m, 'a', "(sssss)");
        if (r < 0)
                return bus_print_reply_error(cli, r);
        while ((r = sd_bus_message_read(m, "(sssss)", &name, &type, &source, &model, &mac)) > 0)
                table_add(table, CELLS(name, type, source, model, mac));
        if (r < 0)
                return bus_print_reply_error(cli, r);

        return table_print(table, &cli->output);
}

static int cmd_domiflist(Cli *cli, const Command *command) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_object_ BusObject container = { 0 };
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;

        r = bus_read(cli, container.path, CTVIRT_BUS_CONTAINER, "GetInterfaces", &reply, &error,
                     NULL);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to query for interfaces");

        return print_interfaces(cli, reply);
}

/* One row of domifaddr: fixed columns, as virsh has them. An empty address: the interface has
 * none. With the interface of the row above, name and MAC are "-". */
static void print_address(Output *o, const char *name, const char *mac, bool repeated,
                          const char *address, uint32_t prefix) {
        char length[16] = "";

        if (!*address) {
                output_print(o, " %-10s %-17s    %-12s %s\n", name, *mac ? mac : "N/A", "N/A",
                             "N/A");
                return;
        }
        /* The container's own addresses come without. */
        if (prefix > 0)
                (void) snprintf(length, sizeof(length), "/%u", prefix);
        output_print(o, " %-10s %-17s    %-12s %s%s\n", repeated ? "-" : name, repeated ? "-" : mac,
                     strchr(address, ':') ? "ipv6" : "ipv4", address, length);
}

static int print_addresses(Cli *cli, sd_bus_message *m, const char *only, bool full) {
        const char *name, *mac, *address, *last = "";
        uint32_t prefix;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sssu)");
        if (r < 0)
                return bus_print_reply_error(cli, r);

        output_extra(&cli->output, " %-10s %-20s %-8s     %s\n", "Name", "MAC address", "Protocol",
                     "Address");
        output_extra(&cli->output, "----------------------------------------"
                                   "---------------------------------------\n");
        while ((r = sd_bus_message_read(m, "(sssu)", &name, &mac, &address, &prefix)) > 0) {
                if (only && !streq(only, name))
                        continue;
                print_address(&cli->output, name, mac, !full && streq(last, name), address, prefix);
                last = name;
        }
        return r < 0 ? bus_print_reply_error(cli, r) : 0;
}

static int cmd_domifaddr(Cli *cli, const Command *command) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_object_ BusObject container = { 0 };
        const char *source = command_string(command, "source");
        int r;

        if (source && !streq(source, "lease") && !streq(source, "agent")) {
                output_error(&cli->output, "Unknown data source '%s'", source);
                return -EINVAL;
        }

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;

        r = bus_read(cli, container.path, CTVIRT_BUS_CONTAINER, "GetAddresses", &reply, &error, "s",
                     source ? source : "lease");
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to query for interfaces addresses");

        return print_addresses(cli, reply, command_string(command, "interface"),
                               command_flag(command, "full"));
}

static const OptionDef any_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        { 0 },
};

static const OptionDef domstate_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        { .name = "reason", .type = OPTION_FLAG, .help = "also print reason for the state" },
        { 0 },
};

static const OptionDef domifaddr_options[] = {
        OPTION_DOMAIN(complete_active_containers, "container name, id or uuid"),
        { .name = "interface", .type = OPTION_STRING, .help = "network interface name" },
        { .name = "full",
          .type = OPTION_FLAG,
          .help = "always display names and MACs of interfaces" },
        { .name = "source",
          .type = OPTION_STRING,
          .complete = complete_address_sources,
          .help = "address source: 'lease' or 'agent'" },
        { 0 },
};

const VerbDef monitor_verbs[] = {
        { .name = "domifaddr",
          .help = "Get network interfaces' addresses for a running container",
          .description = "Get network interfaces' addresses for a running container",
          .options = domifaddr_options,
          .run = cmd_domifaddr },
        { .name = "domiflist",
          .help = "list all container virtual interfaces",
          .description = "Get brief information about the virtual interfaces of a container.",
          .options = any_options,
          .run = cmd_domiflist },
        { .name = "dominfo",
          .help = "container information",
          .description = "Returns basic information about the container.",
          .options = any_options,
          .run = cmd_dominfo },
        { .name = "domstate",
          .help = "container state",
          .description = "Returns state about a container.",
          .options = domstate_options,
          .run = cmd_domstate },
        { .name = "list",
          .help = "list containers",
          .description = "Returns list of containers.",
          .options = list_options,
          .run = cmd_list },
        { 0 },
};

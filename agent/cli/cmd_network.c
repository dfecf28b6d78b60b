/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "network": libvirt's networks, as the agent sees them.
 */

#include "agent/cli/bus.h"
#include "agent/cli/complete.h"
#include "agent/cli/info.h"
#include "agent/cli/net_wait.h"
#include "agent/cli/verbs.h"
#include "base/strv.h"

static const char *yes_no(bool b) {
        return b ? "yes" : "no";
}

static bool network_matches(const Command *command, const NetworkInfo *info) {
        if (!command_flag(command, "all") && command_flag(command, "inactive") == info->active)
                return false;
        return command_filter(command, "persistent", "transient", info->persistent) &&
               command_filter(command, "autostart", "no-autostart", info->autostart);
}

/* Active ones first, then by name. */
static int network_compare(const void *a, const void *b) {
        const NetworkInfo *x = a, *y = b;

        if (x->active != y->active)
                return x->active ? -1 : 1;
        return strcasecmp(x->name, y->name);
}

static int print_network_table(Cli *cli, const Command *command, const NetworkList *list) {
        static const char *const header[] = { "Name", "State", "Autostart", "Persistent", NULL };
        _cleanup_table_ Table *table = NULL;
        int r;

        r = table_new(&table, header);
        if (r < 0)
                return r;

        for (size_t i = 0; i < list->n; i++) {
                const NetworkInfo *info = &list->items[i];

                if (network_matches(command, info))
                        table_add(table, CELLS(info->name, info->active ? "active" : "inactive",
                                               yes_no(info->autostart), yes_no(info->persistent)));
        }
        return table_print(table, &cli->output);
}

static int cmd_net_list(Cli *cli, const Command *command) {
        bool uuid = command_flag(command, "uuid"), name = command_flag(command, "name");
        _cleanup_network_list_ NetworkList list = { 0 };
        int r;

        if (command_flag(command, "table") + uuid + name > 1) {
                output_error(&cli->output, "Only one argument from --table, --name and --uuid "
                                           "may be specified.");
                return -EINVAL;
        }

        r = network_list_get(cli, &list);
        if (r < 0)
                return r;
        if (list.n > 0)
                qsort(list.items, list.n, sizeof(*list.items), network_compare);
        if (!uuid && !name)
                return print_network_table(cli, command, &list);

        for (size_t i = 0; i < list.n; i++)
                if (network_matches(command, &list.items[i]))
                        output_print(&cli->output, "%s\n",
                                     uuid ? list.items[i].uuid : list.items[i].name);
        return 0;
}

static int print_network(Output *o, const NetworkInfo *info) {
        _cleanup_free_ char *containers = strv_join(info->containers, " ");

        if (!containers)
                return -ENOMEM;

        output_pair(o, "Name:", "%s", info->name);
        output_pair(o, "UUID:", "%s", info->uuid);
        output_pair(o, "Active:", "%s", yes_no(info->active));
        output_pair(o, "Persistent:", "%s", yes_no(info->persistent));
        output_pair(o, "Autostart:", "%s", yes_no(info->autostart));
        if (*info->bridge)
                output_pair(o, "Bridge:", "%s", info->bridge);

        output_pair(o, "Ready:", "%s", yes_no(info->ready));
        if (info->incarnation == 0)
                output_pair(o, "Incarnation:", "-");
        else
                output_pair(o, "Incarnation:", "%u", info->incarnation);
        output_pair(o, "Handled:", "%s", yes_no(info->handled));
        output_pair(o, "Containers:", "%s", *containers ? containers : "-");
        return 0;
}

static int cmd_net_info(Cli *cli, const Command *command) {
        _cleanup_network_info_ NetworkInfo info = { 0 };
        _cleanup_bus_object_ BusObject network = { 0 };
        int r;

        r = bus_find_network(cli, command, &network);
        if (r < 0)
                return r;
        r = network_info_get(cli, &network, &info);
        if (r < 0)
                return r;

        return print_network(&cli->output, &info);
}

static const OptionDef net_info_options[] = {
        { .name = "network",
          .type = OPTION_STRING,
          .positional = true,
          .required = true,
          .complete = complete_networks,
          .help = "network name or uuid" },
        { 0 },
};

static const OptionDef net_list_options[] = {
        { .name = "inactive", .help = "list inactive networks" },
        { .name = "all", .help = "list inactive & active networks" },
        { .name = "persistent", .help = "list persistent networks" },
        { .name = "transient", .help = "list transient networks" },
        { .name = "autostart", .help = "list networks with autostart enabled" },
        { .name = "no-autostart", .help = "list networks with autostart disabled" },
        { .name = "uuid", .help = "list uuid's only" },
        { .name = "name", .help = "list network names only" },
        { .name = "table", .help = "list table (default)" },
        { 0 },
};

static const OptionDef net_wait_options[] = {
        { .name = "network",
          .type = OPTION_MANY,
          .positional = true,
          .required = true,
          .complete = complete_networks,
          .help = "network name or uuid" },
        { .name = "timeout", .type = OPTION_NUMBER, .help = "timeout seconds" },
        { 0 },
};

const VerbDef network_verbs[] = {
        { .name = "net-info",
          .help = "network information",
          .description = "Returns basic information about the network, and whether it is ready for "
                         "containers.",
          .options = net_info_options,
          .run = cmd_net_info },
        { .name = "net-list",
          .help = "list networks",
          .description = "Returns list of networks.",
          .options = net_list_options,
          .run = cmd_net_list },
        { .name = "net-wait",
          .help = "wait until networks are ready",
          .description = "Returns when all of the networks are ready for containers, at once if "
                         "they are. A network need not exist yet.",
          .options = net_wait_options,
          .run = cmd_net_wait },
        { 0 },
};

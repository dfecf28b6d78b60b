/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "pool": where the roots of containers are. There is one pool, so its name need not be said.
 */

#include "agent/cli/complete.h"
#include "agent/cli/job_wait.h"
#include "agent/cli/pool_info.h"
#include "agent/cli/size.h"
#include "agent/cli/verbs.h"

#define POOL_NAME "machines"

static int check_name(Cli *cli, const Command *command) {
        const char *name = command_string(command, "pool");

        if (!name || streq(name, POOL_NAME))
                return 0;
        output_error(&cli->output, "failed to get pool '%s'", name);
        output_error(&cli->output, "there is one pool, '" POOL_NAME "'");
        return -ENOENT;
}

static int cmd_pool_info(Cli *cli, const Command *command) {
        _cleanup_pool_state_ PoolState p = { 0 };
        Output *o = &cli->output;
        char size[SIZE_STRING_MAX];
        int r;

        r = check_name(cli, command);
        if (r >= 0)
                r = pool_state_get(cli, &p);
        if (r < 0)
                return r;
        output_pair(o, "Name:", "%s", p.name);
        output_pair(o, "State:", "running");
        output_pair(o, "Persistent:", "yes");
        output_pair(o, "Autostart:", "yes");
        output_pair(o, "Path:", "%s", p.path);
        output_pair(o, "Type:", "%s", p.backend);
        output_pair(o, "Quota:", "%s", p.quota ? "yes" : "no");
        output_pair(o, "Volumes:", "%u", p.volumes);
        output_pair(o, "Capacity:", "%s", size_format(p.capacity, size));
        output_pair(o, "Allocation:", "%s", size_format(p.allocation, size));
        output_pair(o, "Available:", "%s", size_format(p.available, size));
        return 0;
}

static int cmd_pool_list(Cli *cli, const Command *command) {
        char capacity[SIZE_STRING_MAX], allocation[SIZE_STRING_MAX], available[SIZE_STRING_MAX];
        bool details = command_flag(command, "details");
        _cleanup_pool_state_ PoolState p = { 0 };
        _cleanup_table_ Table *table = NULL;
        int r;

        r = pool_state_get(cli, &p);
        if (r < 0)
                return r;
        if (!details) {
                r = table_new(&table, CELLS("Name", "State", "Autostart"));
                if (r >= 0)
                        table_add(table, CELLS(p.name, "active", "yes"));
                return r < 0 ? r : table_print(table, &cli->output);
        }
        r = table_new(&table, CELLS("Name", "State", "Autostart", "Persistent", "Capacity",
                                    "Allocation", "Available"));
        if (r >= 0)
                table_add(table,
                          CELLS(p.name, "running", "yes", "yes", size_format(p.capacity, capacity),
                                size_format(p.allocation, allocation),
                                size_format(p.available, available)));
        return r < 0 ? r : table_print(table, &cli->output);
}

static int cmd_pool_refresh(Cli *cli, const Command *command) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = check_name(cli, command);
        if (r < 0)
                return r;
        r = bus_change(cli, CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL, "Refresh", NULL, &error, NULL);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to refresh pool " POOL_NAME);
        output_extra(&cli->output, "Pool " POOL_NAME " refreshed\n");
        return 0;
}

/*
 * Check
 */

static int repair(Cli *cli) {
        _cleanup_free_ char *text = NULL;
        sd_bus_message *m;
        int r;

        r = bus_new_call(cli, CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL, "Repair", &m);
        if (r < 0)
                return r;
        r = job_call(cli, m, false, &text, "Failed to repair pool " POOL_NAME);
        if (r < 0)
                return r;
        if (isempty(text)) {
                output_extra(&cli->output, "Pool " POOL_NAME " has nothing to repair\n");
                return 0;
        }
        output_print(&cli->output, "%s\n", text);
        output_extra(&cli->output, "Pool " POOL_NAME " repaired\n");
        return 0;
}

/* The number of problems. */
static int print_problems(Cli *cli, sd_bus_message *m) {
        int n = 0, repairable, r;
        const char *text;

        r = sd_bus_message_enter_container(m, 'a', "(sb)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(sb)", &text, &repairable)) > 0) {
                output_print(&cli->output, "%s%s\n", text,
                             repairable ? " (pool-check --repair mends this)" : "");
                n++;
        }
        return r < 0 ? bus_print_reply_error(cli, r) : n;
}

static int cmd_pool_check(Cli *cli, const Command *command) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        int r;

        r = check_name(cli, command);
        if (r < 0)
                return r;
        if (command_flag(command, "repair"))
                return repair(cli);
        r = bus_read(cli, CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL, "Check", &reply, &error, NULL);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to check pool " POOL_NAME);
        r = print_problems(cli, reply);
        if (r < 0)
                return r;
        if (r > 0) {
                output_error(&cli->output, "%d problem%s found", r, r == 1 ? "" : "s");
                return -EIO;
        }
        output_extra(&cli->output, "Pool " POOL_NAME " has no problems\n");
        return 0;
}

/*
 * Build
 */

static int check_build(Cli *cli, const Command *command, uint64_t *ret_size) {
        const char *device = command_string(command, "source-dev");
        const char *file = command_string(command, "file");
        const char *capacity = command_string(command, "capacity");
        _cleanup_error_ Error *err = NULL;
        int r;

        *ret_size = 0;
        if (!device == !file) {
                output_error(&cli->output,
                             "command 'pool-build' requires either --source-dev or --file option");
                return -EINVAL;
        }
        if (device && capacity) {
                output_error(&cli->output, "Options --source-dev and --capacity are mutually "
                                           "exclusive");
                return -EINVAL;
        }
        r = capacity ? size_parse(capacity, ret_size, &err) : 0;
        return r < 0 ? cli_print_error(cli, err) : 0;
}

static int cmd_pool_build(Cli *cli, const Command *command) {
        const char *device = command_string(command, "source-dev");
        const char *source = device ? device : command_string(command, "file");
        sd_bus_message *m = NULL;
        uint64_t size;
        int r;

        r = check_name(cli, command);
        if (r >= 0)
                r = check_build(cli, command, &size);
        if (r < 0)
                return r;
        r = bus_new_call(cli, CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL, "Build", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "a{sv}", 3, "Source", "s", source, "Size", "t", size,
                                          "Overwrite", "b",
                                          (int) command_flag(command, "overwrite"));
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        r = job_call(cli, m, false, NULL, "Failed to build pool " POOL_NAME);
        if (r >= 0)
                output_extra(&cli->output, "Pool " POOL_NAME " built on %s\n", source);
        return r;
}

#define OPTION_POOL                                                                                \
        {                                                                                          \
                .name = "pool", .type = OPTION_STRING, .positional = true,                         \
                .complete = complete_pools, .help = "name of the pool, there is one"               \
        }

static const OptionDef pool_options[] = { OPTION_POOL, { 0 } };

static const OptionDef list_options_of_pools[] = {
        { .name = "all", .help = "there is one pool, and it is active" },
        { .name = "details", .help = "display extended details" },
        { 0 },
};

static const OptionDef check_options[] = {
        OPTION_POOL,
        { .name = "repair", .help = "mend what can be mended without loss" },
        { 0 },
};

static const OptionDef build_options[] = {
        OPTION_POOL,
        { .name = "source-dev", .type = OPTION_STRING, .help = "block device, all of it is used" },
        { .name = "file", .type = OPTION_STRING, .help = "file that becomes the disk" },
        { .name = "capacity", .type = OPTION_STRING, .help = "size of a new file, such as 20G" },
        { .name = "overwrite", .help = "even if there is data on it" },
        { 0 },
};

const VerbDef pool_verbs[] = {
        { .name = "pool-build",
          .help = "build a pool",
          .description = "Make a btrfs filesystem for the roots of containers, and mount it.",
          .options = build_options,
          .run = cmd_pool_build },
        { .name = "pool-check",
          .help = "look for what is wrong with the pool",
          .options = check_options,
          .run = cmd_pool_check },
        { .name = "pool-info",
          .help = "storage pool information",
          .options = pool_options,
          .run = cmd_pool_info },
        { .name = "pool-list",
          .help = "list pools",
          .options = list_options_of_pools,
          .run = cmd_pool_list },
        { .name = "pool-refresh",
          .help = "refresh a pool",
          .description = "Look for what interrupted jobs have left in it.",
          .options = pool_options,
          .run = cmd_pool_refresh },
        { 0 },
};

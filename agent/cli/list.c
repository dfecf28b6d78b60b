/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/list.h"

#include "agent/cli/info.h"

static bool state_matches(const Command *command, const ContainerInfo *info) {
        bool running = command_flag(command, "state-running");
        bool shutoff = command_flag(command, "state-shutoff");
        bool other = command_flag(command, "state-other");

        if (!running && !shutoff && !other)
                return true;
        if (streq(info->state, CTVIRT_STATE_RUNNING))
                return running;
        if (streq(info->state, CTVIRT_STATE_SHUTOFF))
                return shutoff;
        return other;
}

/* Without a choice the active ones; --state-shutoff means the inactive ones, as virsh has it. */
static bool activity_matches(const Command *command, const ContainerInfo *info) {
        bool inactive = command_flag(command, "inactive") || command_flag(command, "state-shutoff");

        if (command_flag(command, "all"))
                return true;
        return inactive == (info->id == 0);
}

static bool list_matches(const Command *command, const ContainerInfo *info) {
        return activity_matches(command, info) && state_matches(command, info) &&
               command_filter(command, "persistent", "transient", info->persistent) &&
               command_filter(command, "autostart", "no-autostart", info->autostart);
}

/* Active ones by id, then inactive ones by name. */
static int list_compare(const void *a, const void *b) {
        const ContainerInfo *x = a, *y = b;

        if (x->id != 0 && y->id != 0)
                return (x->id > y->id) - (x->id < y->id);
        if (x->id != y->id)
                return x->id != 0 ? -1 : 1;
        return strcasecmp(x->name, y->name);
}

static const char *format_id(const ContainerInfo *info, char buffer[static 16]) {
        if (info->id == 0)
                return "-";
        (void) snprintf(buffer, 16, "%u", info->id);
        return buffer;
}

static int list_print_table(Cli *cli, const Command *command, const ContainerList *list) {
        bool title = command_flag(command, "title");
        _cleanup_table_ Table *table = NULL;
        int r;

        r = table_new(&table, CELLS("Id", "Name", "State", title ? "Title" : NULL));
        if (r < 0)
                return r;

        for (size_t i = 0; i < list->n; i++) {
                const ContainerInfo *info = &list->items[i];
                char id[16];

                if (list_matches(command, info))
                        table_add(table,
                                  CELLS(format_id(info, id), info->name, info->state, info->title));
        }
        return table_print(table, &cli->output);
}

/* --uuid, --id, --name: a line a container, in this order. */
static void list_print_words(Cli *cli, const Command *command, const ContainerInfo *info) {
        const char *separator = "";
        char id[16];

        if (command_flag(command, "uuid")) {
                output_print(&cli->output, "%s", *info->uuid ? info->uuid : "-");
                separator = " ";
        }
        if (command_flag(command, "id")) {
                output_print(&cli->output, "%s%s", separator, format_id(info, id));
                separator = " ";
        }
        if (command_flag(command, "name"))
                output_print(&cli->output, "%s%s", separator, info->name);
        output_print(&cli->output, "\n");
}

static int list_check_options(Cli *cli, const Command *command) {
        static const char *const words[] = { "uuid", "name", "id" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (command_flag(command, "table") && command_flag(command, words[i])) {
                        output_error(&cli->output,
                                     "Options --table and --%s are mutually exclusive", words[i]);
                        return -EINVAL;
                }
        return 0;
}

int cmd_list(Cli *cli, const Command *command) {
        _cleanup_container_list_ ContainerList list = { 0 };
        int r;

        r = list_check_options(cli, command);
        if (r < 0)
                return r;
        r = container_list_get(cli, &list);
        if (r < 0)
                return r;

        if (list.n > 0)
                qsort(list.items, list.n, sizeof(*list.items), list_compare);

        if (!command_flag(command, "uuid") && !command_flag(command, "name") &&
            !command_flag(command, "id"))
                return list_print_table(cli, command, &list);

        for (size_t i = 0; i < list.n; i++)
                if (list_matches(command, &list.items[i]))
                        list_print_words(cli, command, &list.items[i]);
        return 0;
}

const OptionDef list_options[] = {
        { .name = "inactive", .help = "list inactive containers" },
        { .name = "all", .help = "list inactive & active containers" },
        { .name = "transient", .help = "list transient containers" },
        { .name = "persistent", .help = "list persistent containers" },
        { .name = "state-running", .help = "list containers in running state" },
        { .name = "state-shutoff", .help = "list containers in shutoff state" },
        { .name = "state-other", .help = "list containers in other states" },
        { .name = "autostart", .help = "list containers with autostart enabled" },
        { .name = "no-autostart", .help = "list containers with autostart disabled" },
        { .name = "uuid", .help = "list uuid's only" },
        { .name = "name", .help = "list container names only" },
        { .name = "id", .help = "list container IDs only" },
        { .name = "table", .help = "list table (default)" },
        { .name = "title", .help = "show container title" },
        { 0 },
};

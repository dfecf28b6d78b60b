/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "snapshot": what the root of a container was at some time.
 */

#include "agent/cli/complete.h"
#include "agent/cli/job_wait.h"
#include "agent/cli/size.h"
#include "agent/cli/verbs.h"

static int call_snapshot(Cli *cli, const BusObject *container, const char *method,
                         const char *types, const char *name, const char *text, uint64_t flags,
                         const char *what) {
        sd_bus_message *m = NULL;
        int r;

        r = bus_new_call(cli, container->path, CTVIRT_BUS_CONTAINER, method, &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0 && streq(types, "ss"))
                r = sd_bus_message_append(m, "s", text);
        if (r >= 0 && streq(types, "st"))
                r = sd_bus_message_append(m, "t", flags);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        return job_call(cli, m, false, NULL, "Failed to %s snapshot '%s' of container '%s'", what,
                        name, container->name);
}

/* As virsh: seconds since the epoch. */
static int make_name(char **ret) {
        return asprintf(ret, "%llu", (unsigned long long) time(NULL)) < 0 ? -ENOMEM : 0;
}

static int cmd_create(Cli *cli, const Command *command) {
        const char *given = command_string(command, "name");
        const char *text = command_string(command, "description");
        _cleanup_bus_object_ BusObject container = { 0 };
        _cleanup_free_ char *name = NULL;
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        if (given)
                r = (name = strdup(given)) ? 0 : -ENOMEM;
        else
                r = make_name(&name);
        if (r >= 0)
                r = call_snapshot(cli, &container, "CreateSnapshot", "ss", name, text ? text : "",
                                  0, "create");
        if (r >= 0)
                output_extra(&cli->output, "Container snapshot %s created\n", name);
        return r;
}

static int cmd_list(Cli *cli, const Command *command) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_object_ BusObject container = { 0 };
        bool only_names = command_flag(command, "name");
        const char *name, *description, *state;
        _cleanup_table_ Table *table = NULL;
        uint64_t created;
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        r = bus_read(cli, container.path, CTVIRT_BUS_CONTAINER, "ListSnapshots", &reply, &error,
                     NULL);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to list snapshots of '%s'",
                                       container.name);
        r = table_new(&table, CELLS("Name", "Creation Time", "State"));
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ssts)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ssts)", &name, &description, &created,
                                                  &state)) > 0) {
                char time[SIZE_STRING_MAX];

                if (only_names)
                        output_print(&cli->output, "%s\n", name);
                else
                        table_add(table, CELLS(name, time_format(created, time), state));
        }
        if (r < 0)
                return bus_print_reply_error(cli, r);
        return only_names ? 0 : table_print(table, &cli->output);
}

static int cmd_info(Cli *cli, const Command *command) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        _cleanup_bus_object_ BusObject container = { 0 };
        const char *name = command_string(command, "snapshotname");
        const char *description, *state;
        char time[SIZE_STRING_MAX];
        uint64_t created;
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        r = bus_read(cli, container.path, CTVIRT_BUS_CONTAINER, "GetSnapshot", &reply, &error, "s",
                     name);
        if (r < 0)
                return bus_print_error(cli, r, &error, "failed to get snapshot '%s'", name);
        r = sd_bus_message_read(reply, "sts", &description, &created, &state);
        if (r < 0)
                return bus_print_reply_error(cli, r);
        output_pair(&cli->output, "Name:", "%s", name);
        output_pair(&cli->output, "Domain:", "%s", container.name);
        output_pair(&cli->output, "State:", "%s", state);
        output_pair(&cli->output, "Created:", "%s", time_format(created, time));
        output_pair(&cli->output, "Location:", "internal");
        if (*description)
                output_pair(&cli->output, "Description:", "%s", description);
        return 0;
}

static int cmd_revert(Cli *cli, const Command *command) {
        const char *name = command_string(command, "snapshotname");
        _cleanup_bus_object_ BusObject container = { 0 };
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        r = call_snapshot(cli, &container, "RevertSnapshot", "st", name, NULL,
                          (command_flag(command, "force") ? CTVIRT_REVERT_FORCE : 0) |
                                  (command_flag(command, "keep-definition")
                                           ? CTVIRT_REVERT_KEEP_DEFINITION
                                           : 0),
                          "revert to");
        if (r >= 0)
                output_extra(&cli->output, "Container '%s' reverted to snapshot '%s'\n",
                             container.name, name);
        return r;
}

static int cmd_delete(Cli *cli, const Command *command) {
        const char *name = command_string(command, "snapshotname");
        _cleanup_bus_object_ BusObject container = { 0 };
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        r = call_snapshot(cli, &container, "DeleteSnapshot", "s", name, NULL, 0, "delete");
        if (r >= 0)
                output_extra(&cli->output, "Container snapshot %s deleted\n", name);
        return r;
}

#define OPTION_SNAPSHOT                                                                            \
        {                                                                                          \
                .name = "snapshotname", .type = OPTION_STRING, .positional = true,                 \
                .required = true, .complete = complete_snapshots, .help = "name of the snapshot"   \
        }

static const OptionDef create_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        { .name = "name",
          .type = OPTION_STRING,
          .positional = true,
          .help = "name of the snapshot; seconds since 1970 if it is left out" },
        { .name = "description",
          .type = OPTION_STRING,
          .positional = true,
          .help = "what it is for, one line" },
        { 0 },
};

static const OptionDef list_options_of_snapshots[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        { .name = "name", .help = "list snapshot names only" },
        { 0 },
};

static const OptionDef one_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        OPTION_SNAPSHOT,
        { 0 },
};

static const OptionDef revert_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        OPTION_SNAPSHOT,
        { .name = "force", .help = "stop a container that runs, and start it again after it" },
        { .name = "keep-definition", .help = "revert the root alone" },
        { 0 },
};

const VerbDef snapshot_verbs[] = {
        { .name = "snapshot-create-as",
          .help = "create a snapshot from a set of args",
          .description = "Keep what the root of a container is now.",
          .options = create_options,
          .run = cmd_create },
        { .name = "snapshot-delete",
          .help = "delete a container snapshot",
          .options = one_options,
          .run = cmd_delete },
        { .name = "snapshot-info",
          .help = "snapshot information",
          .options = one_options,
          .run = cmd_info },
        { .name = "snapshot-list",
          .help = "list snapshots for a container",
          .options = list_options_of_snapshots,
          .run = cmd_list },
        { .name = "snapshot-revert",
          .help = "revert a container to a snapshot",
          .description = "Make root and definition what they were; what they are now is lost. "
                         "UUID, MAC addresses and range of ids stay.",
          .options = revert_options,
          .run = cmd_revert },
        { 0 },
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "bootstrap": whole containers, from nothing, from each other, and from a file.
 */

#include "agent/cli/base_title.h"
#include "agent/cli/bootstrap_options.h"
#include "agent/cli/complete.h"
#include "agent/cli/job_file.h"
#include "agent/cli/job_wait.h"
#include "agent/cli/password.h"
#include "agent/cli/pool_info.h"
#include "agent/cli/size.h"
#include "agent/cli/source_word.h"
#include "agent/cli/verbs.h"
#include "base/strv.h"

/*
 * Bootstrap
 */

static int append_string(sd_bus_message *m, const Command *command, const char *option,
                         const char *key) {
        const char *value = command_string(command, option);

        return value ? sd_bus_message_append(m, "{sv}", key, "s", value) : 0;
}

static int append_strings(sd_bus_message *m, const Command *command, const char *option,
                          const char *key) {
        _cleanup_strv_ char **values = NULL;
        int r;

        r = command_strings(command, option, &values);
        if (r < 0 || !values)
                return r;
        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, values);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* A path on another host cannot begin where we are. */
static int append_source(sd_bus_message *m, const Cli *cli, const Command *command) {
        const char *word = command_string(command, "from");
        _cleanup_free_ char *source = NULL;
        int r;

        if (!word || !streq(cli->uri, CLI_URI_SYSTEM))
                return append_string(m, command, "from", "From");
        r = source_word_absolute(word, &source);
        return r < 0 ? r : sd_bus_message_append(m, "{sv}", "From", "s", source);
}

static int append_options(sd_bus_message *m, const Cli *cli, const Command *command) {
        int r;

        r = append_source(m, cli, command);
        if (r >= 0)
                r = append_string(m, command, "release", "Release");
        if (r >= 0)
                r = append_string(m, command, "verify", "Verify");
        if (r >= 0)
                r = append_strings(m, command, "mirror", "Mirrors");
        if (r >= 0)
                r = append_strings(m, command, "package", "Packages");
        if (r >= 0 && command_flag(command, "no-cache"))
                r = sd_bus_message_append(m, "{sv}", "Cache", "b", false);
        if (r >= 0 && command_flag(command, "replace"))
                r = sd_bus_message_append(m, "{sv}", "Replace", "b", true);
        return r;
}

static void print_notes(Cli *cli, const char *text) {
        while (!isempty(text)) {
                size_t length = strcspn(text, "\n");

                if (length > 0)
                        output_warning(&cli->output, "%.*s", (int) length, text);
                text += length + (text[length] == '\n');
        }
}

int bootstrap_container(Cli *cli, const Command *command, const BusObject *container) {
        bool options = option_find(command->verb, "from");
        bool detach = options && command_flag(command, "detach");
        _cleanup_free_ char *text = NULL;
        sd_bus_message *m = NULL;
        int r;

        r = bus_new_call(cli, container->path, CTVIRT_BUS_CONTAINER, "Bootstrap", &m);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && options)
                r = append_options(m, cli, command);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        r = job_call(cli, m, detach, &text, "Failed to bootstrap container '%s'", container->name);
        if (r == 0)
                print_notes(cli, text);
        return r;
}

static int cmd_bootstrap(Cli *cli, const Command *command) {
        _cleanup_bus_object_ BusObject container = { 0 };
        int r;

        r = bus_find_container(cli, command, &container);
        if (r >= 0)
                r = bootstrap_container(cli, command, &container);
        if (r == 0)
                output_extra(&cli->output, "Container '%s' bootstrapped\n", container.name);
        return r;
}

/*
 * Clone
 */

static int start_container(Cli *cli, const char *name) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(CTVIRT_BUS_CONTAINER_PREFIX, name, &path);
        if (r >= 0)
                r = bus_change(cli, path, CTVIRT_BUS_CONTAINER, "Start", NULL, &error, "t",
                               UINT64_C(0));
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to start container '%s'", name);
        output_extra(&cli->output, "Container '%s' started\n", name);
        return 0;
}

static int cmd_clone(Cli *cli, const Command *command) {
        const char *name = command_string(command, "newname");
        _cleanup_bus_object_ BusObject container = { 0 };
        sd_bus_message *m = NULL;
        int r;

        r = bus_find_container(cli, command, &container);
        if (r < 0)
                return r;
        r = bus_new_call(cli, container.path, CTVIRT_BUS_CONTAINER, "Clone", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "sa{sv}", name, 0);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        r = job_call(cli, m, false, NULL, "Failed to clone container '%s'", container.name);
        if (r < 0)
                return r;
        output_extra(&cli->output, "Container '%s' cloned to '%s'\n", container.name, name);
        return command_flag(command, "start") ? start_container(cli, name) : 0;
}

/*
 * Export and import
 */

/* What a file's name says of how it is to be compressed. */
static const char *compression_of(const char *file) {
        static const struct {
                const char *suffix, *compression;
        } suffixes[] = {
                { ".gz", "gzip" }, { ".tgz", "gzip" }, { ".xz", "xz" },
                { ".txz", "xz" },  { ".zst", "zstd" }, { ".tar", "none" },
        };

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (endswith(file, suffixes[i].suffix))
                        return suffixes[i].compression;
        return "zstd";
}

static int cmd_export(Cli *cli, const Command *command) {
        const char *path = command_string(command, "file");
        const char *compression = command_string(command, "compress");
        _cleanup_bus_object_ BusObject container = { 0 };
        _cleanup_job_file_ JobFile file = { .fd = -1 };
        sd_bus_message *m = NULL;
        int r;

        r = bus_find_container(cli, command, &container);
        if (r >= 0)
                r = job_file_open_output(cli, path, &file);
        if (r >= 0)
                r = bus_new_call(cli, container.path, CTVIRT_BUS_CONTAINER, "Export", &m);
        if (r >= 0)
                r = job_file_append(&file, m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", compression ? compression : compression_of(path));
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        r = job_call(cli, m, false, NULL, "Failed to export container '%s'", container.name);
        r = job_file_finish(&file, r);
        if (r >= 0 && file.path)
                output_extra(&cli->output, "Container '%s' exported to %s\n", container.name, path);
        return r;
}

static int append_import(sd_bus_message *m, const Command *command) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_string(m, command, "name", "Name");
        if (r >= 0 && command_flag(command, "moved"))
                r = sd_bus_message_append(m, "{sv}", "Moved", "b", true);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int cmd_import(Cli *cli, const Command *command) {
        const char *path = command_string(command, "file");
        _cleanup_job_file_ JobFile file = { .fd = -1 };
        _cleanup_free_ char *name = NULL, *text = NULL;
        sd_bus_message *m = NULL;
        int r;

        r = job_file_open_input(cli, path, &file);
        if (r >= 0)
                r = bus_new_call(cli, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, "Import", &m);
        if (r >= 0)
                r = job_file_append(&file, m);
        if (r >= 0)
                r = append_import(m, command);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        r = job_call_named(cli, m, &name, &text, "Failed to import %s", path);
        if (r >= 0)
                output_extra(&cli->output, "Container '%s' imported from %s\n", name ? name : "",
                             path);
        if (r >= 0)
                print_notes(cli, text);
        return r;
}

/*
 * Bases
 */

#define KEY_SHOWN 12

/* So much of each key that no two look the same. */
static size_t key_width(const BaseStates *list) {
        size_t width = KEY_SHOWN;

        for (size_t i = 0; i < list->n; i++)
                for (size_t k = i + 1; k < list->n; k++)
                        while (strlen(list->items[i].key) > width &&
                               strncmp(list->items[i].key, list->items[k].key, width) == 0)
                                width++;
        return width;
}

static int add_base(Table *table, const BaseState *b, size_t width) {
        char created[SIZE_STRING_MAX], used[SIZE_STRING_MAX];
        _cleanup_free_ char *key = strndup(b->key, width), *title = NULL;
        int r;

        if (!key)
                return -ENOMEM;
        r = width == SIZE_MAX ? 0 : base_title(b->description, &title);
        if (r < 0)
                return r;
        table_add(table, CELLS(key, time_format(b->created_usec, created),
                               time_format(b->used_usec, used), title ? title : b->description));
        return 0;
}

static int cmd_base_list(Cli *cli, const Command *command) {
        _cleanup_base_states_ BaseStates list = { 0 };
        _cleanup_table_ Table *table = NULL;
        size_t width;
        int r;

        r = base_states_get(cli, &list);
        if (r >= 0)
                r = table_new(&table, CELLS("Key", "Created", "Last used", "Description"));
        if (r < 0)
                return r;
        width = command_flag(command, "full") ? SIZE_MAX : key_width(&list);
        for (size_t i = 0; r >= 0 && i < list.n; i++)
                r = add_base(table, &list.items[i], width);
        return r < 0 ? r : table_print(table, &cli->output);
}

static int cmd_base_delete(Cli *cli, const Command *command) {
        const char *key = command_string(command, "base");
        sd_bus_message *m = NULL;
        int r;

        r = bus_new_call(cli, CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL, "DeleteBase", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", key);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        r = job_call(cli, m, false, NULL, "Failed to delete base %s", key);
        if (r >= 0)
                output_extra(&cli->output, "Base %s deleted\n", key);
        return r;
}

/*
 * Password
 */

static int cmd_set_user_password(Cli *cli, const Command *command) {
        const char *user = command_string(command, "user");
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_object_ BusObject container = { 0 };
        _cleanup_free_ char *hash = NULL;
        int r;

        r = bus_find_container(cli, command, &container);
        if (r >= 0)
                r = password_hash(cli, command_string(command, "password"),
                                  command_flag(command, "encrypted"), &hash);
        if (r < 0)
                return r;
        r = bus_change(cli, container.path, CTVIRT_BUS_CONTAINER, "SetUserPassword", NULL, &error,
                       "ss", user, hash);
        if (r < 0)
                return bus_print_error(cli, r, &error,
                                       "Failed to set password of user '%s' in "
                                       "container '%s'",
                                       user, container.name);
        output_extra(&cli->output, "Password set successfully for %s in %s\n", user,
                     container.name);
        return 0;
}

static const OptionDef bootstrap_options[] = {
        OPTION_DOMAIN(complete_inactive_containers, "container name, id or uuid"),
        { .name = "from",
          .type = OPTION_STRING,
          .complete = complete_sources,
          .help = "what it is made from: debian, debian:bookworm, fedora:40, tar:/FILE, "
                  "directory:/FOLDER, raw:/FILE, clone:NAME, base:KEY, https://..., docker://..." },
        { .name = "release", .type = OPTION_STRING, .help = "release of the distribution" },
        { .name = "mirror", .type = OPTION_STRINGS, .help = "where packages come from" },
        { .name = "package", .type = OPTION_STRINGS, .help = "a package to install as well" },
        { .name = "verify",
          .type = OPTION_STRING,
          .complete = complete_verifications,
          .help = "what has to be right about a download: signature, checksum or no" },
        { .name = "no-cache", .help = "neither use nor keep a base" },
        { .name = "replace", .help = "the root that is there goes, with everything in it" },
        { .name = "detach", .help = "do not wait for it" },
        { 0 },
};

static const OptionDef clone_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        { .name = "newname",
          .type = OPTION_STRING,
          .positional = true,
          .required = true,
          .help = "name of the copy" },
        { .name = "start", .help = "start the copy" },
        { 0 },
};

#define OPTION_FILE(text)                                                                          \
        {                                                                                          \
                .name = "file", .type = OPTION_STRING, .positional = true, .required = true,       \
                .help = (text)                                                                     \
        }

static const OptionDef export_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        OPTION_FILE("bundle to write, - is standard output"),
        { .name = "compress",
          .type = OPTION_STRING,
          .complete = complete_compressions,
          .help = "none, gzip, xz or zstd; without it as the file's name says, or zstd" },
        { 0 },
};

static const OptionDef import_options[] = {
        OPTION_FILE("bundle to read, - is standard input"),
        { .name = "name", .type = OPTION_STRING, .help = "what it is to be called here" },
        { .name = "moved", .help = "the original is gone: UUID and MAC addresses stay" },
        { 0 },
};

static const OptionDef base_options[] = {
        { .name = "base",
          .type = OPTION_STRING,
          .positional = true,
          .required = true,
          .complete = complete_bases,
          .help = "key of the base, or its beginning" },
        { 0 },
};

static const OptionDef base_list_options[] = {
        { .name = "full", .help = "whole keys, and everything a base was made from" },
        { 0 },
};

static const OptionDef password_options[] = {
        OPTION_DOMAIN(complete_containers, "container name, id or uuid"),
        { .name = "user",
          .type = OPTION_STRING,
          .positional = true,
          .required = true,
          .help = "the username" },
        { .name = "password",
          .type = OPTION_STRING,
          .positional = true,
          .help = "the new password; without it, it is asked for" },
        { .name = "encrypted", .help = "the password is already encrypted, as in crypt(5)" },
        { 0 },
};

const VerbDef bootstrap_verbs[] = {
        { .name = "base-delete",
          .help = "delete a base",
          .options = base_options,
          .run = cmd_base_delete },
        { .name = "base-list",
          .help = "list bases",
          .description = "List what was kept of earlier bootstraps, to make others from.",
          .options = base_list_options,
          .run = cmd_base_list },
        { .name = "bootstrap",
          .help = "make the root of a container",
          .description = "Make the root as the definition says, or as the options say.",
          .options = bootstrap_options,
          .run = cmd_bootstrap },
        { .name = "clone",
          .help = "clone a container",
          .description = "Copy a container: its root, and its definition with a UUID, MAC "
                         "addresses and ids of its own.",
          .options = clone_options,
          .run = cmd_clone },
        { .name = "export",
          .help = "export a container to a file",
          .description = "Write a container, root and definition, to one file.",
          .options = export_options,
          .run = cmd_export },
        { .name = "import",
          .help = "import a container from a file",
          .description = "Make a container from what export has written.",
          .options = import_options,
          .run = cmd_import },
        { .name = "set-user-password",
          .help = "set the user password inside the container",
          .options = password_options,
          .run = cmd_set_user_password },
        { 0 },
};

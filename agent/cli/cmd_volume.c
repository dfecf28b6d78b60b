/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "volume": roots in the pool, whether they belong to a container or not.
 */

#include "agent/cli/complete.h"
#include "agent/cli/job_file.h"
#include "agent/cli/job_wait.h"
#include "agent/cli/pool_info.h"
#include "agent/cli/size.h"
#include "agent/cli/verbs.h"

static int new_call(Cli *cli, const char *method, sd_bus_message **ret) {
        return bus_new_call(cli, CTVIRT_BUS_POOL_PATH, CTVIRT_BUS_POOL, method, ret);
}

static int cmd_vol_list(Cli *cli, const Command *command) {
        bool details = command_flag(command, "details");
        _cleanup_volume_states_ VolumeStates list = { 0 };
        _cleanup_table_ Table *table = NULL;
        int r;

        r = volume_states_get(cli, &list);
        if (r >= 0)
                r = table_new(&table, CELLS("Name", "Path", details ? "Type" : NULL, "Capacity",
                                            "Allocation"));
        for (size_t i = 0; r >= 0 && i < list.n; i++) {
                char limit[SIZE_STRING_MAX], used[SIZE_STRING_MAX];
                const VolumeState *v = &list.items[i];

                table_add(table, CELLS(v->name, v->path, v->type, size_format(v->limit, limit),
                                       size_format(v->used, used)));
        }
        return r < 0 ? r : table_print(table, &cli->output);
}

static int cmd_vol_info(Cli *cli, const Command *command) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *name = command_string(command, "vol");
        _cleanup_volume_state_ VolumeState v = { 0 };
        Output *o = &cli->output;
        char text[SIZE_STRING_MAX];
        int r;

        r = volume_state_get(cli, name, &v, &error);
        if (r < 0)
                return bus_print_error(cli, r, &error, "failed to get vol '%s'", name);
        output_pair(o, "Name:", "%s", v.name);
        output_pair(o, "Type:", "%s", v.type);
        output_pair(o, "Path:", "%s", v.path);
        output_pair(o, "Capacity:", "%s", size_format(v.limit, text));
        output_pair(o, "Allocation:", "%s", size_format(v.used, text));
        output_pair(o, "Read only:", "%s", v.read_only ? "yes" : "no");
        output_pair(o, "Created:", "%s", time_format(v.created_usec, text));
        return 0;
}

/* Two names, and a job that makes one of the other. */
static int run_pair(Cli *cli, const Command *command, const char *method, const char *verb,
                    const char *done) {
        const char *from = command_string(command, "vol"), *to = command_string(command, "newname");
        sd_bus_message *m = NULL;
        int r;

        r = new_call(cli, method, &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", from, to);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        r = job_call(cli, m, false, NULL, "Failed to %s vol %s", verb, from);
        if (r >= 0)
                output_extra(&cli->output, "Vol %s %s %s\n", from, done, to);
        return r;
}

static int cmd_vol_clone(Cli *cli, const Command *command) {
        return run_pair(cli, command, "CloneVolume", "clone", "cloned to");
}

static int cmd_vol_rename(Cli *cli, const Command *command) {
        return run_pair(cli, command, "RenameVolume", "rename", "renamed to");
}

/* A name and a number. */
static int run_number(Cli *cli, const char *method, const char *name, uint64_t number,
                      const char *verb, const char *done) {
        sd_bus_message *m = NULL;
        int r;

        r = new_call(cli, method, &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "st", name, number);
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        r = job_call(cli, m, false, NULL, "Failed to %s vol %s", verb, name);
        if (r >= 0)
                output_extra(&cli->output, "%s\n", done);
        return r;
}

static int cmd_vol_delete(Cli *cli, const Command *command) {
        const char *name = command_string(command, "vol");
        _cleanup_free_ char *done = NULL;

        if (asprintf(&done, "Vol %s deleted", name) < 0)
                return -ENOMEM;
        return run_number(cli, "DeleteVolume", name,
                          command_flag(command, "delete-snapshots") ? CTVIRT_DELETE_SNAPSHOTS : 0,
                          "delete", done);
}

static int cmd_vol_resize(Cli *cli, const Command *command) {
        const char *name = command_string(command, "vol");
        const char *size = command_string(command, "capacity");
        _cleanup_free_ char *done = NULL;
        _cleanup_error_ Error *err = NULL;
        uint64_t bytes = UINT64_MAX;

        if (!streq(size, "none") && size_parse(size, &bytes, &err) < 0)
                return cli_print_error(cli, err);
        if (asprintf(&done, "Size of volume '%s' successfully changed to %s", name, size) < 0)
                return -ENOMEM;
        return run_number(cli, "ResizeVolume", name, bytes, "change size of", done);
}

static int cmd_vol_download(Cli *cli, const Command *command) {
        const char *name = command_string(command, "vol");
        const char *compression = command_string(command, "compress");
        _cleanup_job_file_ JobFile file = { .fd = -1 };
        sd_bus_message *m = NULL;
        int r;

        r = job_file_open_output(cli, command_string(command, "file"), &file);
        if (r >= 0)
                r = new_call(cli, "Download", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = job_file_append(&file, m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", compression ? compression : "none");
        if (r < 0) {
                sd_bus_message_unref(m);
                return job_file_finish(&file, r);
        }
        return job_file_finish(
                &file, job_call(cli, m, false, NULL, "cannot download from volume %s", name));
}

static int cmd_vol_upload(Cli *cli, const Command *command) {
        const char *name = command_string(command, "vol");
        _cleanup_job_file_ JobFile file = { .fd = -1 };
        sd_bus_message *m = NULL;
        int r;

        r = job_file_open_input(cli, command_string(command, "file"), &file);
        if (r >= 0)
                r = new_call(cli, "Upload", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = job_file_append(&file, m);
        if (r >= 0)
                r = sd_bus_message_append(m, "t",
                                          command_flag(command, "replace") ? CTVIRT_UPLOAD_REPLACE
                                                                           : UINT64_C(0));
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        return job_call(cli, m, false, NULL, "cannot upload to volume %s", name);
}

static const OptionDef list_options_of_volumes[] = {
        { .name = "details", .help = "display extended details for volumes" },
        { 0 },
};

static const OptionDef volume_options[] = { OPTION_VOLUME("vol"), { 0 } };

static const OptionDef pair_options[] = {
        OPTION_VOLUME("vol"),
        { .name = "newname",
          .type = OPTION_STRING,
          .positional = true,
          .required = true,
          .help = "its new name, or the name of the copy" },
        { 0 },
};

static const OptionDef delete_options[] = {
        OPTION_VOLUME("vol"),
        { .name = "delete-snapshots", .help = "delete its snapshots as well" },
        { 0 },
};

static const OptionDef resize_options[] = {
        OPTION_VOLUME("vol"),
        { .name = "capacity",
          .type = OPTION_STRING,
          .positional = true,
          .required = true,
          .help = "how large it may become, such as 20G; none takes the limit away" },
        { 0 },
};

#define OPTION_FILE(text)                                                                          \
        {                                                                                          \
                .name = "file", .type = OPTION_STRING, .positional = true, .required = true,       \
                .help = (text)                                                                     \
        }

static const OptionDef download_options[] = {
        OPTION_VOLUME("vol"),
        OPTION_FILE("tar archive to write, - is standard output"),
        { .name = "compress",
          .type = OPTION_STRING,
          .complete = complete_compressions,
          .help = "none, gzip, xz or zstd" },
        { 0 },
};

static const OptionDef upload_options[] = {
        OPTION_VOLUME("vol"),
        OPTION_FILE("tar archive to read, - is standard input"),
        { .name = "replace", .help = "what has the name already goes" },
        { 0 },
};

const VerbDef volume_verbs[] = {
        { .name = "vol-clone",
          .help = "clone a volume",
          .description = "Copy a root; the copy belongs to no container. See clone.",
          .options = pair_options,
          .run = cmd_vol_clone },
        { .name = "vol-delete",
          .help = "delete a volume",
          .options = delete_options,
          .run = cmd_vol_delete },
        { .name = "vol-download",
          .help = "download volume contents to a file",
          .description = "Write the tree of a volume as a tar archive.",
          .options = download_options,
          .run = cmd_vol_download },
        { .name = "vol-info",
          .help = "storage volume information",
          .options = volume_options,
          .run = cmd_vol_info },
        { .name = "vol-list",
          .help = "list volumes",
          .options = list_options_of_volumes,
          .run = cmd_vol_list },
        { .name = "vol-rename",
          .help = "rename a volume",
          .options = pair_options,
          .run = cmd_vol_rename },
        { .name = "vol-resize",
          .help = "resize a volume",
          .description = "Set how large the tree of a volume may become (btrfs), or grow an image.",
          .options = resize_options,
          .run = cmd_vol_resize },
        { .name = "vol-upload",
          .help = "upload file contents to a volume",
          .description = "Make a volume from a tar archive.",
          .options = upload_options,
          .run = cmd_vol_upload },
        { 0 },
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "job": long work on the pool.
 */

#include "agent/cli/complete.h"
#include "agent/cli/job_info.h"
#include "agent/cli/job_wait.h"
#include "agent/cli/size.h"
#include "agent/cli/verbs.h"

static int find_job(Cli *cli, const char *what, char **ret) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_bus_message_ sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = bus_read(cli, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, "LookupJob", &reply, &error, "s",
                     what);
        if (r < 0)
                return bus_print_error(cli, r, &error, "failed to get job '%s'", what);
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return bus_print_reply_error(cli, r);
        *ret = strdup(path);
        return *ret ? 0 : -ENOMEM;
}

static int cmd_job_list(Cli *cli, const Command *command) {
        _cleanup_job_info_list_ JobInfoList list = { 0 };
        _cleanup_table_ Table *table = NULL;
        bool all = command_flag(command, "all");
        int r;

        r = job_info_list_get(cli, &list);
        if (r >= 0)
                r = table_new(&table, CELLS("Id", "Kind", "Name", "State", "Stage"));
        for (size_t i = 0; r >= 0 && i < list.n; i++) {
                const JobInfo *info = &list.items[i];
                _cleanup_free_ char *progress = job_info_progress(info, false);

                if (!progress)
                        return -ENOMEM;
                if (all || job_info_is_running(info))
                        table_add(table, CELLS(info->id, info->kind, *info->name ? info->name : "-",
                                               info->state, *progress ? progress : "-"));
        }
        return r < 0 ? r : table_print(table, &cli->output);
}

static void print_optional(Output *o, const char *key, const char *value) {
        if (*value)
                output_pair(o, key, "%s", value);
}

/* A job that is done has nothing to say but what was not done, a line each. */
static void print_result(Output *o, const JobInfo *info) {
        const char *key = streq(info->state, "done") ? "Warnings:" : "Result:";

        for (const char *line = info->text; *line; line += *line == '\n') {
                size_t length = strcspn(line, "\n");

                output_pair(o, key, "%.*s", (int) length, line);
                key = "";
                line += length;
        }
}

static int print_info(Output *o, const JobInfo *info) {
        _cleanup_free_ char *progress = job_info_progress(info, true);
        char time[SIZE_STRING_MAX];

        if (!progress)
                return -ENOMEM;
        output_pair(o, "Job:", "%s", info->id);
        output_pair(o, "Operation:", "%s", info->kind);
        print_optional(o, "Name:", info->name);
        print_optional(o, "Source:", info->source);
        print_optional(o, "Snapshot:", info->snapshot);
        output_pair(o, "State:", "%s", info->state);
        output_pair(o, "Started:", "%s", time_format(info->started_usec, time));
        if (info->ended_usec > 0)
                output_pair(o, "Ended:", "%s", time_format(info->ended_usec, time));
        if (job_info_is_running(info))
                print_optional(o, "Progress:", progress);
        print_result(o, info);
        print_optional(o, "Unit:", info->unit);
        return 0;
}

static int cmd_job_info(Cli *cli, const Command *command) {
        const char *what = command_string(command, "job");
        _cleanup_job_info_ JobInfo info = { 0 };
        _cleanup_free_ char *path = NULL;
        int r;

        r = find_job(cli, what, &path);
        if (r >= 0 && command_flag(command, "wait"))
                r = job_wait(cli, path, NULL, "Job '%s' failed", what);
        if (r >= 0)
                r = job_info_get(cli, path, &info);
        return r < 0 ? r : print_info(&cli->output, &info);
}

static int cmd_job_abort(Cli *cli, const Command *command) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *what = command_string(command, "job");
        _cleanup_free_ char *path = NULL;
        int r;

        r = find_job(cli, what, &path);
        if (r < 0)
                return r;
        r = bus_change(cli, path, CTVIRT_BUS_JOB, "Cancel", NULL, &error, NULL);
        if (r < 0)
                return bus_print_error(cli, r, &error, "Failed to abort job '%s'", what);
        output_extra(&cli->output, "Job '%s' is being aborted\n", what);
        return 0;
}

static const OptionDef list_options_of_jobs[] = {
        { .name = "all", .help = "jobs that have ended as well" },
        { 0 },
};

#define OPTION_JOB                                                                                 \
        {                                                                                          \
                .name = "job", .type = OPTION_STRING, .positional = true, .required = true,        \
                .complete = complete_jobs, .help = "id of the job, or name of what it works on"    \
        }

static const OptionDef info_options[] = {
        OPTION_JOB,
        { .name = "wait", .help = "show how far it is until it ends" },
        { 0 },
};

static const OptionDef abort_options[] = {
        OPTION_JOB,
        { 0 },
};

const VerbDef job_verbs[] = {
        { .name = "job-abort",
          .help = "abort a job",
          .description = "Cancel a job; what it has made so far is removed.",
          .options = abort_options,
          .run = cmd_job_abort },
        { .name = "job-info",
          .help = "show how far a job is",
          .description = "Show a job that runs, or what has come of one.",
          .options = info_options,
          .run = cmd_job_info },
        { .name = "job-list",
          .help = "list jobs",
          .options = list_options_of_jobs,
          .run = cmd_job_list },
        { 0 },
};

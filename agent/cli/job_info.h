#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A job as the agent tells of it (agent/api.h).
 */

#include "agent/cli/info_read.h"

typedef struct JobInfo {
        char *id, *kind, *name, *source, *snapshot, *state, *text, *unit, *stage_name, *line;
        uint32_t stage, stages;
        double percent;
        bool has_percent;
        uint64_t started_usec, ended_usec;
} JobInfo;

typedef struct JobInfoList {
        JobInfo *items;
        size_t n;
} JobInfoList;

/* Reads an a{sv}. Prints nothing. */
int job_info_read(sd_bus_message *m, JobInfo *ret);
/* Ask the agent; they print what went wrong. */
int job_info_get(Cli *cli, const char *path, JobInfo *ret);
int job_info_list_get(Cli *cli, JobInfoList *ret);

void job_info_done(JobInfo *info);
void job_info_list_done(JobInfoList *list);
#define _cleanup_job_info_ _cleanup_(job_info_done)
#define _cleanup_job_info_list_ _cleanup_(job_info_list_done)

bool job_info_is_running(const JobInfo *info);

/* "[2/5] Installing packages, 43%: Unpacking libc6:amd64", in characters that a terminal can show.
 * Owned; NULL when memory is short. */
char *job_info_progress(const JobInfo *info, bool with_line);

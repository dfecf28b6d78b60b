/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/job_info.h"

#define FIELD_OF(key_, type_, member_) FIELD(JobInfo, key_, type_, member_)

static const InfoField job_fields[] = {
        FIELD_OF("Id", "s", id),
        FIELD_OF("Kind", "s", kind),
        FIELD_OF("Name", "s", name),
        FIELD_OF("Source", "s", source),
        FIELD_OF("Snapshot", "s", snapshot),
        FIELD_OF("State", "s", state),
        FIELD_OF("Text", "s", text),
        FIELD_OF("Unit", "s", unit),
        FIELD_OF("StageName", "s", stage_name),
        FIELD_OF("Line", "s", line),
        FIELD_OF("Stage", "u", stage),
        FIELD_OF("Stages", "u", stages),
        FIELD_OF("Percent", "d", percent),
        FIELD_OF("StartedUSec", "t", started_usec),
        FIELD_OF("EndedUSec", "t", ended_usec),
        { 0 },
};

/* A percent that was not said is below all that are. */
#define NO_PERCENT (-1.0)

int job_info_read(sd_bus_message *m, JobInfo *ret) {
        _cleanup_job_info_ JobInfo info = { .percent = NO_PERCENT };
        int r;

        r = info_read(m, job_fields, &info);
        if (r < 0)
                return r;
        info.has_percent = info.percent >= 0;
        *ret = info;
        info = (JobInfo){ 0 };
        return 0;
}

int job_info_get(Cli *cli, const char *path, JobInfo *ret) {
        JobInfo info = { .percent = NO_PERCENT };
        int r;

        r = info_get(cli, path, CTVIRT_BUS_JOB, job_fields, &info, "the job");
        info.has_percent = info.percent >= 0;
        *ret = info;
        return r;
}

int job_info_list_get(Cli *cli, JobInfoList *ret) {
        static const BusQuestion question = { CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER, "ListJobs" };
        void *items = NULL;
        int r;

        r = info_list_get(cli, &question, job_fields, sizeof(*ret->items), &items, &ret->n, "jobs");
        ret->items = items;
        return r;
}

void job_info_done(JobInfo *info) {
        info_done(job_fields, info);
        *info = (JobInfo){ 0 };
}

void job_info_list_done(JobInfoList *list) {
        for (size_t i = 0; i < list->n; i++)
                job_info_done(&list->items[i]);
        free(list->items);
}

bool job_info_is_running(const JobInfo *info) {
        return streq(info->state, "running");
}

char *job_info_progress(const JobInfo *info, bool with_line) {
        bool line = with_line && *info->line;
        char percent[16] = "";
        char *text = NULL;

        if (info->has_percent && with_line)
                (void) snprintf(percent, sizeof(percent), ", %.0f%%", info->percent);
        if (info->stages == 0)
                return strdup("");
        if (asprintf(&text, "[%u/%u] %s%s%s%s", info->stage, info->stages, info->stage_name,
                     percent, line ? ": " : "", line ? info->line : "") < 0)
                return NULL;
        for (char *p = text; *p; p++)
                if ((unsigned char) *p < ' ' || *p == 0x7f)
                        *p = '?';
        return text;
}

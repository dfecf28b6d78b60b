/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/job_events.h"

#include "agent/api.h"
#include "agent/manager.h"
#include "base/log.h"

static const char *text(const char *s) {
        return s ? s : "";
}

static int append_status(sd_bus_message *m, const JobStatus *s) {
        int r;

        r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}", "Stage", "u", (uint32_t) s->number,
                                  "Stages", "u", (uint32_t) s->count, "StageName", "s",
                                  text(s->stage), "Line", "s", text(s->line));
        return r < 0 || s->percent < 0
                       ? r
                       : sd_bus_message_append(m, "{sv}", "Percent", "d", s->percent);
}

int job_info_append(sd_bus_message *m, const Job *job) {
        const JobSpec *spec = job->spec;
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(
                        m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "Id", "s", spec->id, "Kind", "s",
                        job_kind_to_string(spec->kind), "Name", "s", text(spec->name), "Source",
                        "s", text(spec->source), "Snapshot", "s", text(spec->snapshot), "State",
                        "s", job_state_to_string(job->state), "Text", "s", text(job->text),
                        "StartedUSec", "t", job->started_usec, "EndedUSec", "t", job->ended_usec);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "Unit", "s", job->in_worker ? "" : job->unit);
        if (r >= 0)
                r = append_status(m, &job->status);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int send_event(const Job *job, const char *event) {
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_signal(job->manager->bus, &m, CTVIRT_BUS_PATH, CTVIRT_BUS_MANAGER,
                                      "JobEvent");
        if (r >= 0)
                r = sd_bus_message_append(m, "ssss", job->spec->id,
                                          job_kind_to_string(job->spec->kind),
                                          text(job->spec->name), event);
        if (r >= 0)
                r = job_info_append(m, job);
        if (r >= 0)
                r = sd_bus_send(job->manager->bus, m, NULL);
        sd_bus_message_unref(m);
        return r;
}

void job_event(const Job *job, const char *event) {
        int r;

        if (!job->manager->bus)
                return;
        r = send_event(job, event);
        if (r < 0)
                log_warning_errno(r, "Could not send JobEvent of job %s", job->spec->id);
}

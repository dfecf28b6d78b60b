#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Job: one piece of long work on the pool, from the call that asks for it to what the agent does
 * when it is over; and JobTable, which owns those that run and the last that ended.
 *
 * A job is a folder in /run/ctvirt/jobs (agent/bootstrap/job_spec.h) and, mostly, a transient unit
 * that works on it: both outlive the agent, whose next life finds the job there (job_recover.h).
 */

#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "agent/bootstrap/job_report.h"
#include "agent/bootstrap/job_result.h"
#include "agent/bootstrap/job_spec.h"

typedef struct Manager Manager;

typedef enum JobState {
        JOB_STATE_RUNNING,
        JOB_STATE_DONE,
        JOB_STATE_FAILED,
        JOB_STATE_CANCELED,
} JobState;

const char *job_state_to_string(JobState s); /* "running", "done", "failed", "canceled" */

typedef struct Job Job;
typedef void (*JobStep)(Job *job);

struct Job {
        Manager *manager;
        JobSpec *spec;
        char *unit; /* "ctvirt-job-ID.service" */
        JobState state;
        JobStatus status; /* how far it is; all empty: nothing was said yet */
        char *status_text;
        char *text;        /* why it failed, or what else there is to say; NULL: nothing */
        char *unit_result; /* systemd's word for a service that failed; NULL: it did not */
        uint64_t started_usec, ended_usec; /* CLOCK_REALTIME; 0: not yet */
        bool cancel_requested;
        bool stop_first; /* the container has to be stopped before the work begins */
        bool thawed;     /* its container is no longer frozen for it */
        bool in_worker;  /* on the agent's own thread, there is no unit */
        bool collected;  /* the unit has ended, and that was dealt with */
        int input_fd;    /* for the unit; -1: none */
        int output_fd;
        sd_bus_slot *properties_slot;
        char *warning; /* what the agent has to say beside the text of the unit; NULL: nothing */

        /* job_freeze.h */
        JobStep after_freeze;
        unsigned freeze_tries;
        sd_event_source *freeze_timer;

        TAILQ_ENTRY(Job) entry;
};

#define JOBS_RUNNING_MAX 32
#define JOBS_OVER_MAX 32

typedef struct JobTable {
        TAILQ_HEAD(JobList, Job) list; /* oldest first */
        size_t n_running;
        size_t n_over;
        char **held; /* volumes that the agent itself writes into, see pool_question.h */
        int fd;      /* the folder of all jobs */
} JobTable;

#define JOB_FOREACH(job, table) TAILQ_FOREACH(job, &(table)->list, entry)

/* Makes the folder below run_fd if it is missing. */
int job_table_init(JobTable *t, int run_fd);
void job_table_done(JobTable *t);

/* Takes spec over, also on failure, and puts the job into the table as a running one. Nothing is
 * written and nothing begins. */
int job_new(Manager *m, JobSpec *spec, Job **ret);

Job *job_by_id(const JobTable *t, const char *id);
/* The one that runs on that volume; else the last that did. */
Job *job_by_name(const JobTable *t, const char *name);
/* One that runs and excludes another with these names: nobody else changes a volume that is
 * changed, nobody changes one that is read. changed and read may be NULL. */
Job *job_busy(const JobTable *t, const char *changed, const char *read);

/* A new STATUS= of its unit. True if it says something else than before. */
bool job_set_status(Job *job, const char *text);

/* The job is over; text is taken over. The oldest that are over are forgotten, but not this one. */
void job_set_over(Job *job, JobState state, char *text);

/* The sentence of a person about it: "bootstrap of 'web'". Owned; NULL when memory is short. */
char *job_describe(const JobSpec *spec);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * JobReport: how far a job is. Those that do the work report; who listens is not theirs to know
 * (ctvirt-job makes STATUS= of it, which is what systemctl status and the agent show).
 */

#include "base/macro.h"

typedef struct JobReport JobReport;

struct JobReport {
        /* The job enters stage number (from 1) of count; what is a few words: "Installing packages".
         */
        void (*stage)(void *userdata, unsigned number, unsigned count, const char *what);
        /* 0 to 100, of the stage; negative: not known. */
        void (*percent)(void *userdata, double percent);
        /* The last line that a tool said, without its newline; for people, and kept for an error. */
        void (*line)(void *userdata, const char *line);
        /* True when the job should end (SIGTERM): long work asks now and then and returns
         * -ECANCELED. */
        bool (*canceled)(void *userdata);
        void *userdata;
};

/* "[2/5] Installing packages, 43%: Unpacking libc6:amd64"; percent and line are optional. */
typedef struct JobStatus {
        unsigned number, count;
        char *stage;
        double percent; /* negative: not known */
        char *line;     /* NULL: none */
} JobStatus;

char *job_status_format(const JobStatus *s);            /* NULL when memory is short */
int job_status_parse(const char *text, JobStatus *ret); /* -EINVAL, -ENOMEM */
void job_status_done(JobStatus *s);

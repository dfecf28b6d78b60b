#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NotifyReport: a JobReport whose listener is systemd. How far the job is becomes STATUS=, which
 * systemctl status and the agent show; stages and what tools say are also lines in the journal.
 */

#include <signal.h>

#include "agent/bootstrap/job_report.h"

typedef struct NotifyReport {
        JobReport report; /* hand out its address */
        JobStatus status;
        uint64_t sent_usec; /* CLOCK_MONOTONIC */
        const volatile sig_atomic_t *canceled;
} NotifyReport;

/* canceled: set by a signal handler. n must stay where it is. */
void notify_report_init(NotifyReport *n, const volatile sig_atomic_t *canceled);
void notify_report_done(NotifyReport *n);
#define _cleanup_notify_report_ _cleanup_(notify_report_done)

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading nspawn's last words from the journal. For the thread of FailureCause: everything here
 * may wait for the disk.
 */

#include <systemd/sd-journal.h>

#include "agent/failure_cause.h"

#define FAILURE_LINE_MAX 300 /* bytes of a line that are passed on */

/* The system's journal of this machine, which follows what is written from now on. */
int failure_journal_open(sd_journal **ret);

/* The line, owned by the caller; NULL as long as there is none. */
char *failure_journal_find(sd_journal *journal, const FailureQuestion *question);

/* A field of the journal as a line that can be shown: no control characters, UTF-8, not longer than
 * FAILURE_LINE_MAX. NULL: nothing is left, it says nothing of a cause ("Child died too early."), or
 * there is no memory. */
char *failure_line_clean(const char *data, size_t size);

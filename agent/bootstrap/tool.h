#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Tool: a program of the host that does a part of a job. No shell, a clean environment, nothing on
 * its stdin, a process group of its own, which ends with it or when the job is canceled. What it
 * says (stdout and stderr) goes to the report line by line.
 */

#include "agent/bootstrap/job_report.h"
#include "agent/bootstrap/tool_output.h"
#include "base/error.h"
#include "base/strv.h"

#define TOOL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define TOOL_LAST_LINES 20

typedef struct Tool {
        char *const *arguments;   /* [0] is the program, looked for in TOOL_PATH */
        char *const *environment; /* "NAME=value", beside PATH, a C.UTF-8 locale and the proxies */
        const char *home;         /* $HOME; NULL: /root */
        ToolKind kind;
        const JobReport *report; /* NULL: nobody is told */
        const char *install;     /* what to install if it is missing; NULL: its name */
} Tool;

/*
 * Runs it to its end. 0 if it ended with exit status 0. Else the error has its last lines and what
 * to try:
 *   -ENOENT     there is no such program, or what it looked for is not there
 *   -ECANCELED  the report said so; the whole process group has been killed
 *   -EIO        it failed; or an errno that says why
 */
int tool_run(const Tool *t, Error **err);

/* The same, and *ret is what it wrote to stdout, at most max bytes (-EFBIG); only stderr goes to
 * the report. */
int tool_capture(const Tool *t, size_t max, char **ret, Error **err);

/* Whether the program is there. */
bool tool_exists(const char *name);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Waiting for a job: progress on standard error, rewritten in place on a terminal, a line for each
 * stage elsewhere. The first Ctrl-C cancels the job and waits until it has cleaned up behind it, a
 * second one leaves it alone.
 */

#include "agent/cli/bus.h"

/* 0 when it is done, and *ret_text (may be NULL, owned) is what it has to say. Otherwise negative
 * errno, and what went wrong was printed: behind the text that format makes, unless the job was
 * canceled. */
int job_wait(Cli *cli, const char *path, char **ret_text, const char *format, ...) _printf_(4, 5);

/* Sends a call that begins a job (and frees it), and waits, unless detach: then it is said how to
 * come back, and 1 returned. */
int job_call(Cli *cli, sd_bus_message *m, bool detach, char **ret_text, const char *format, ...)
        _printf_(5, 6);

/* Like job_call() without detach; *ret_name (owned) is what it was at work on, which may be known
 * to the job only. */
int job_call_named(Cli *cli, sd_bus_message *m, char **ret_name, char **ret_text,
                   const char *format, ...) _printf_(5, 6);

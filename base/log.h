#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Logging for programs: lines on stderr with the "<N>" priority prefix that journald understands
 * (sd-daemon(3)) when stderr is the journal, plain lines otherwise. The libraries (base, xml,
 * units) do not log; they return errors.
 */

#include <syslog.h>

#include "base/macro.h"

/* Messages above this level are dropped. LOG_INFO at first; log_init() reads $CTVIRT_LOG_LEVEL
 * (a number or a syslog level name) and finds out where stderr leads. */
void log_init(void);
void log_set_max_level(int level);

void log_full(int level, const char *format, ...) _printf_(2, 3);

/* Logs "<format>: strerror(-r)" and returns r, for `return log_errno(LOG_ERR, r, "…");`. */
int log_errno(int level, int r, const char *format, ...) _printf_(3, 4);

#define log_debug(...) log_full(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_full(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_full(LOG_ERR, __VA_ARGS__)
#define log_warning_errno(r, ...) log_errno(LOG_WARNING, (r), __VA_ARGS__)
#define log_error_errno(r, ...) log_errno(LOG_ERR, (r), __VA_ARGS__)

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The hook's lines in the journal. Its stderr leads to libvirt, which shows it only when a hook
 * fails.
 */

#include <syslog.h>

#include "base/macro.h"

typedef struct JournalFacts {
        const char *network; /* CTVIRT_NETWORK= */
        const char *bridge;  /* CTVIRT_BRIDGE= */
} JournalFacts;

/* May wait when journald does not read: to be called when everything else is done. facts and what
 * is in it may be NULL. */
void journal_line(int level, const JournalFacts *facts, const char *format, ...) _printf_(3, 4);

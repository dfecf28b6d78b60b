/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where in the source a line comes from is of no use to its reader. */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include "hooks/journal.h"

#include <stdarg.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#define SYSLOG_IDENTIFIER "ctvirt-hook"
#define FIELD_MAX 1024

typedef struct Entry {
        struct iovec fields[5];
        char text[5][FIELD_MAX];
        int n;
} Entry;

static void add(Entry *e, const char *name, const char *value) {
        int length;

        if (!value)
                return;
        length = snprintf(e->text[e->n], FIELD_MAX, "%s=%s", name, value);
        if (length < 0)
                return;
        e->fields[e->n] = (struct iovec){
                .iov_base = e->text[e->n],
                .iov_len = length < FIELD_MAX ? (size_t) length : FIELD_MAX - 1,
        };
        e->n++;
}

void journal_line(int level, const JournalFacts *facts, const char *format, ...) {
        char message[FIELD_MAX], priority[2] = { (char) ('0' + level), '\0' };
        Entry e = { .n = 0 };
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);

        add(&e, "MESSAGE", message);
        add(&e, "PRIORITY", priority);
        add(&e, "SYSLOG_IDENTIFIER", SYSLOG_IDENTIFIER);
        add(&e, "CTVIRT_NETWORK", facts ? facts->network : NULL);
        add(&e, "CTVIRT_BRIDGE", facts ? facts->bridge : NULL);
        (void) sd_journal_sendv(e.fields, e.n);
}

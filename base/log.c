/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/log.h"

#include <stdarg.h>

static int max_level = LOG_INFO;
static bool journal = false;

static const char *const level_names[] = {
        [LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
        [LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
        [LOG_INFO] = "info",   [LOG_DEBUG] = "debug",
};

void log_init(void) {
        const char *level = getenv("CTVIRT_LOG_LEVEL");

        journal = getenv("JOURNAL_STREAM") != NULL;
        if (!level)
                return;
        for (int i = 0; i < (int) ELEMENTSOF(level_names); i++)
                if (streq(level, level_names[i]) || (level[0] == '0' + i && !level[1]))
                        max_level = i;
}

void log_set_max_level(int level) {
        max_level = level;
}

/* One write(2) a line, so that lines of several processes do not mix. */
static void log_line(int level, const char *text, const char *reason) {
        char line[2048], prefix[8] = "";
        int n;

        if (journal)
                (void) snprintf(prefix, sizeof(prefix), "<%d>", level);

        n = snprintf(line, sizeof(line) - 1, "%s%s%s%s", prefix, text, reason ? ": " : "",
                     reason ? reason : "");
        if (n < 0)
                return;
        if ((size_t) n > sizeof(line) - 2)
                n = (int) sizeof(line) - 2;
        line[n++] = '\n';
        if (write(STDERR_FILENO, line, (size_t) n) < 0)
                return;
}

void log_full(int level, const char *format, ...) {
        char text[1900];
        va_list ap;

        if (level > max_level)
                return;

        va_start(ap, format);
        (void) vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        log_line(level, text, NULL);
}

int log_errno(int level, int r, const char *format, ...) {
        char text[1900];
        va_list ap;

        if (level > max_level)
                return r;

        va_start(ap, format);
        (void) vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        log_line(level, text, strerror(-r));
        return r;
}

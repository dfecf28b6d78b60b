/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/size.h"

#include <time.h>

static const char units[] = "kMGTPE";

const char *size_format(uint64_t bytes, char buffer[static SIZE_STRING_MAX]) {
        static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        double value = (double) bytes;
        size_t i = 0;

        if (bytes == UINT64_MAX) {
                (void) snprintf(buffer, SIZE_STRING_MAX, "-");
                return buffer;
        }
        while (value >= 1024 && i + 1 < ELEMENTSOF(names)) {
                value /= 1024;
                i++;
        }
        (void) snprintf(buffer, SIZE_STRING_MAX, "%.2f %s", value, names[i]);
        return buffer;
}

/* What a suffix multiplies by; 0: it is none. */
static uint64_t parse_suffix(const char *s) {
        uint64_t step = streq(s + 1, "B") ? 1000 : 1024, factor = 1;
        const char *unit;
        char letter = *s == 'K' ? 'k' : *s == 'm' ? 'M' : *s == 'g' ? 'G' : *s == 't' ? 'T' : *s;

        if (!letter || streq(s, "b") || streq(s, "bytes"))
                return 1;
        unit = strchr(units, letter);
        if (!unit || (s[1] && !streq(s + 1, "B") && !streq(s + 1, "iB")))
                return 0;
        for (const char *p = units; p <= unit; p++)
                factor *= step;
        return factor;
}

int size_parse(const char *s, uint64_t *ret, Error **err) {
        unsigned long long n;
        uint64_t factor, bytes;
        char *end;

        errno = 0;
        n = strtoull(s, &end, 10);
        factor = errno == 0 && *s >= '0' && *s <= '9' ? parse_suffix(end) : 0;
        if (factor == 0 || __builtin_mul_overflow((uint64_t) n, factor, &bytes) ||
            bytes == UINT64_MAX)
                return error_set(err, EINVAL, "'%s' is no size; write it like 500M or 20G", s);
        *ret = bytes;
        return 0;
}

const char *time_format(uint64_t realtime_usec, char buffer[static SIZE_STRING_MAX]) {
        time_t seconds = (time_t) (realtime_usec / 1000000);
        struct tm tm;

        if (realtime_usec == 0 || !localtime_r(&seconds, &tm) ||
            strftime(buffer, SIZE_STRING_MAX, "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
                (void) snprintf(buffer, SIZE_STRING_MAX, "-");
        return buffer;
}

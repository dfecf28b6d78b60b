/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/retry_record.h"

#include <time.h>

#include "agent/retry.h"
#include "base/fileio.h"
#include "base/name.h"

#define FOLDER "retries/"
#define RECORD_MAX 4096

static int record_path(const char *name, char **ret) {
        if (!container_name_is_valid(name))
                return -EINVAL;
        return asprintf(ret, FOLDER "%s", name) < 0 ? -ENOMEM : 0;
}

static int parse_number(const char *s, uint64_t max, uint64_t *ret) {
        unsigned long long n;
        char *end;

        if (*s < '0' || *s > '9')
                return -EINVAL;
        errno = 0;
        n = strtoull(s, &end, 10);
        if (errno != 0 || *end || n > max)
                return -EINVAL;
        *ret = n;
        return 0;
}

/* Keys that we do not know are those of a later version. */
static int parse_line(const char *line, RetryRecord *record) {
        const char *value;
        uint64_t number;
        int r;

        value = startswith(line, "INVOCATION=");
        if (value)
                return sd_id128_from_string(value, &record->invocation);
        value = startswith(line, "MONOTONIC_USEC=");
        if (value)
                return parse_number(value, UINT64_MAX, &record->usec);
        value = startswith(line, "TRIED=");
        if (!value)
                return 0;
        r = parse_number(value, RETRIES_MAX, &number);
        if (r >= 0)
                record->tried = (unsigned) number;
        return r;
}

int retry_record_read(int run_fd, const char *name, RetryRecord *ret) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        RetryRecord record = { .tried = RETRIES_MAX };
        char *position, *line;
        int r;

        r = record_path(name, &path);
        if (r >= 0)
                r = read_file_at(run_fd, path, RECORD_MAX, false, &text, NULL);
        if (r < 0)
                return r == -EINVAL || r == -EFBIG || r == -ELOOP ? -ENOENT : r;

        position = text;
        while ((line = strsep(&position, "\n")))
                if (parse_line(line, &record) < 0)
                        return -ENOENT;
        if (sd_id128_is_null(record.invocation))
                return -ENOENT;
        *ret = record;
        return 0;
}

static uint64_t now_usec(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

int retry_record_write(int run_fd, const char *name, const RetryRecord *record) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        char id[SD_ID128_STRING_MAX];
        int r;

        r = record_path(name, &path);
        if (r < 0)
                return r;
        if (asprintf(&text, "INVOCATION=%s\nTRIED=%u\nMONOTONIC_USEC=%llu\n",
                     sd_id128_to_string(record->invocation, id), record->tried,
                     (unsigned long long) now_usec()) < 0)
                return -ENOMEM;
        r = write_file_at(run_fd, path, text, strlen(text), 0644, 0);
        return r < 0 ? r : 0;
}

int retry_record_remove(int run_fd, const char *name) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = record_path(name, &path);
        return r < 0 ? r : remove_file_at(run_fd, path);
}

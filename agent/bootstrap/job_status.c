/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * JobStatus as one line of text and back. Both directions stand here so that they cannot part.
 */

#include "agent/bootstrap/job_report.h"

#define STAGES_MAX 999

void job_status_done(JobStatus *s) {
        free(s->stage);
        free(s->line);
        *s = (JobStatus){ .percent = -1 };
}

char *job_status_format(const JobStatus *s) {
        char percent[16] = "";
        char *text = NULL;

        if (s->percent >= 0)
                (void) snprintf(percent, sizeof(percent), ", %.0f%%", s->percent);
        if (asprintf(&text, "[%u/%u] %s%s%s%s", s->number, s->count, s->stage ? s->stage : "",
                     percent, s->line ? ": " : "", s->line ? s->line : "") < 0)
                return NULL;
        return text;
}

static int parse_number(const char **p, char end, unsigned *ret) {
        char *rest;
        unsigned long n;

        if (**p < '0' || **p > '9')
                return -EINVAL;
        n = strtoul(*p, &rest, 10);
        if (n > STAGES_MAX || *rest != end)
                return -EINVAL;
        *ret = (unsigned) n;
        *p = rest + 1;
        return 0;
}

/* ", 43%" at the end of the stage, if it is there. */
static double take_percent(char *stage) {
        char *comma = strrchr(stage, ',');
        double percent;
        char *end;

        if (!comma || comma[1] != ' ' || comma[2] < '0' || comma[2] > '9')
                return -1;
        percent = strtod(comma + 2, &end);
        if (!streq(end, "%"))
                return -1;
        if (!(percent >= 0 && percent <= 100))
                return -1;
        *comma = '\0';
        return percent;
}

static int parse_rest(const char *p, JobStatus *s) {
        const char *colon = strstr(p, ": ");

        s->stage = strndup(p, colon ? (size_t) (colon - p) : strlen(p));
        s->line = colon ? strdup(colon + 2) : NULL;
        if (!s->stage || (colon && !s->line))
                return -ENOMEM;
        s->percent = take_percent(s->stage);
        return 0;
}

int job_status_parse(const char *text, JobStatus *ret) {
        _cleanup_(job_status_done) JobStatus s = { .percent = -1 };
        const char *p = startswith(text, "[");
        int r;

        if (!p || parse_number(&p, '/', &s.number) < 0 || parse_number(&p, ']', &s.count) < 0 ||
            *p++ != ' ')
                return -EINVAL;
        r = parse_rest(p, &s);
        if (r < 0)
                return r;
        *ret = s;
        s = (JobStatus){ .percent = -1 };
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/job_result.h"

#include <fcntl.h>

#include "base/fileio.h"

#define RESULT_MAX (64 * 1024)

static const char *const outcome_names[] = {
        [JOB_OUTCOME_DONE] = "done",
        [JOB_OUTCOME_FAILED] = "failed",
        [JOB_OUTCOME_CANCELED] = "canceled",
};

const char *job_outcome_to_string(JobOutcome o) {
        return (size_t) o < ELEMENTSOF(outcome_names) ? outcome_names[o] : NULL;
}

int job_outcome_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(outcome_names); i++)
                if (streq(s, outcome_names[i]))
                        return (int) i;
        return -EINVAL;
}

void job_result_done(JobResult *r) {
        free(r->text);
        *r = (JobResult){ 0 };
}

static int make_path(const char *id, const char *file, char **ret) {
        if (!job_id_is_valid(id))
                return -EINVAL;
        return asprintf(ret, "%s/%s", id, file) < 0 ? -ENOMEM : 0;
}

int job_result_save(int jobs_fd, const char *id, JobOutcome outcome, const char *text) {
        _cleanup_free_ char *path = NULL, *content = NULL;
        int length, r;

        r = make_path(id, "result", &path);
        if (r < 0)
                return r;
        length = asprintf(&content, "%s\n%.*s", job_outcome_to_string(outcome), RESULT_MAX / 2,
                          text ? text : "");
        if (length < 0)
                return -ENOMEM;
        for (char *p = content; *p; p++)
                if ((unsigned char) *p < ' ' && *p != '\n')
                        *p = '?';

        r = write_file_at(jobs_fd, path, content, (size_t) length, 0600, 0);
        return r < 0 ? r : 0;
}

int job_result_load(int jobs_fd, const char *id, JobResult *ret) {
        _cleanup_free_ char *path = NULL, *content = NULL, *text = NULL;
        char *end;
        int outcome, r;

        r = make_path(id, "result", &path);
        if (r >= 0)
                r = read_file_at(jobs_fd, path, RESULT_MAX, false, &content, NULL);
        if (r < 0)
                return r;

        end = strchr(content, '\n');
        if (!end)
                return -EINVAL;
        *end = '\0';
        outcome = job_outcome_from_string(content);
        if (outcome < 0)
                return outcome;
        if (end[1]) {
                text = strdup(end + 1);
                if (!text)
                        return -ENOMEM;
        }

        *ret = (JobResult){ .outcome = (JobOutcome) outcome, .text = TAKE_PTR(text) };
        return 0;
}

bool job_is_at_work(void *userdata, const char *id) {
        _cleanup_job_result_ JobResult result = { 0 };
        const int *jobs_fd = userdata;

        return job_id_is_valid(id) && faccessat(*jobs_fd, id, F_OK, 0) >= 0 &&
               job_result_load(*jobs_fd, id, &result) == -ENOENT;
}

bool job_kind_is_at_work(int jobs_fd, JobKind kind) {
        _cleanup_strv_ char **ids = NULL;

        if (job_spec_list(jobs_fd, &ids) < 0)
                return false;
        STRV_FOREACH(id, ids) {
                _cleanup_job_spec_ JobSpec *spec = NULL;

                if (job_is_at_work(&jobs_fd, *id) &&
                    job_spec_load(jobs_fd, *id, &spec, NULL) >= 0 && spec->kind == kind)
                        return true;
        }
        return false;
}

int job_result_settle(int jobs_fd, const char *id) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = make_path(id, "settled", &path);
        if (r >= 0)
                r = write_file_at(jobs_fd, path, "", 0, 0600, 0);
        return r < 0 ? r : 0;
}

bool job_result_is_settled(int jobs_fd, const char *id) {
        _cleanup_free_ char *path = NULL;

        return make_path(id, "settled", &path) >= 0 && faccessat(jobs_fd, path, F_OK, 0) >= 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the agent hands to a job: names become names of files, and what is read is what would be
 * written.
 */

#include "agent/bootstrap/job_spec.h"
#include "base/name.h"
#include "fuzz.h"

static JobSpec *parse_again(const char *text, size_t size) {
        _cleanup_error_ Error *err = NULL;
        JobSpec *spec = NULL;

        fuzz_check(job_spec_parse(text, size, &spec, &err) == 0);
        return spec;
}

static void check(const JobSpec *spec) {
        _cleanup_free_ char *text = NULL, *again = NULL;
        _cleanup_job_spec_ JobSpec *same = NULL;
        size_t size, again_size;

        fuzz_check(job_kind_to_string(spec->kind));
        fuzz_check(!spec->name || container_name_is_valid(spec->name));
        fuzz_check((spec->flags & ~(unsigned) JOB_FLAGS_ALL) == 0);
        fuzz_check(job_spec_format(spec, &text, &size) == 0);
        same = parse_again(text, size);
        fuzz_check(job_spec_format(same, &again, &again_size) == 0);
        fuzz_check(size == again_size && memcmp(text, again, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_job_spec_ JobSpec *spec = NULL;
        _cleanup_error_ Error *err = NULL;
        int r;

        r = job_spec_parse((const char *) data, size, &spec, &err);
        fuzz_check(r == 0 || (r == -EINVAL && err));
        if (r == 0)
                check(spec);
        return 0;
}

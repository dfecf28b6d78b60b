/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What agent and ctvirt-job tell each other by files: specs, results, status lines; and all that
 * might stand in them instead.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "agent/bootstrap/job_report.h"
#include "agent/bootstrap/job_result.h"
#include "agent/bootstrap/job_spec.h"
#include "base/fileio.h"

#define ID "0123abcd"

static char folder[] = "/tmp/ctvirt-test-XXXXXX";
static int jobs_fd = -1;

/* A line of the file that is another's. */
static void test_text_with_lines(void **state) {
        JobSpec spec = { .kind = JOB_POOL_BUILD, .id = (char *) ID, .size = UINT64_MAX };

        spec.source = (char *) "/x\nFLAGS=1";
        assert_int_equal(job_spec_save(jobs_fd, &spec), -EINVAL);
        spec.source = (char *) "/x";
        spec.text = (char *) "\033[2J";
        assert_int_equal(job_spec_save(jobs_fd, &spec), -EINVAL);
        assert_int_equal(faccessat(jobs_fd, ID, F_OK, 0), -1);
}

static void test_kinds(void **state) {
        for (int k = 0; k <= (int) JOB_CLEAN; k++)
                assert_int_equal(job_kind_from_string(job_kind_to_string((JobKind) k)), k);
        assert_int_equal(job_kind_from_string("bogus"), -EINVAL);
        assert_null(job_kind_to_string((JobKind) (JOB_CLEAN + 1)));
}

static void test_ids(void **state) {
        assert_true(job_id_is_valid(ID));
        assert_false(job_id_is_valid(""));
        assert_false(job_id_is_valid("0123abc"));
        assert_false(job_id_is_valid("0123abcde"));
        assert_false(job_id_is_valid("0123ABCD"));
        assert_false(job_id_is_valid("../../ab"));
}

static void test_round(void **state) {
        JobSpec spec = {
                .id = (char *) ID,
                .kind = JOB_SNAPSHOT_CREATE,
                .name = (char *) "web",
                .source = (char *) "db",
                .snapshot = (char *) "s1",
                .text = (char *) "a = b",
                .compression = (char *) "zstd",
                .size = 4096,
                .flags = JOB_REPLACE | JOB_FREEZE,
                .definition = (char *) "<domain/>\n",
        };
        _cleanup_job_spec_ JobSpec *back = NULL;

        assert_int_equal(job_spec_save(jobs_fd, &spec), 0);
        assert_int_equal(job_spec_save(jobs_fd, &spec), -EEXIST);
        assert_int_equal(job_spec_load(jobs_fd, ID, &back, NULL), 0);
        assert_int_equal(back->kind, spec.kind);
        assert_string_equal(back->name, "web");
        assert_string_equal(back->source, "db");
        assert_string_equal(back->snapshot, "s1");
        assert_string_equal(back->text, "a = b");
        assert_string_equal(back->compression, "zstd");
        assert_int_equal(back->size, 4096);
        assert_int_equal(back->flags, spec.flags);
        assert_string_equal(back->definition, "<domain/>\n");
        assert_int_equal(job_spec_remove(jobs_fd, ID), 0);
        assert_int_equal(job_spec_remove(jobs_fd, ID), 0);
}

static void test_round_bootstrap(void **state) {
        const uint64_t ages[] = { 0, 42, UINT64_MAX };

        for (size_t i = 0; i < ELEMENTSOF(ages); i++) {
                JobSpec spec = { .id = (char *) ID,
                                 .kind = JOB_BOOTSTRAP,
                                 .name = (char *) "web",
                                 .size = UINT64_MAX,
                                 .base_max_age_usec = ages[i] };
                _cleanup_job_spec_ JobSpec *back = NULL;

                assert_int_equal(job_spec_save(jobs_fd, &spec), 0);
                assert_int_equal(job_spec_load(jobs_fd, ID, &back, NULL), 0);
                assert_true(back->base_max_age_usec == ages[i]);
                assert_int_equal(job_spec_remove(jobs_fd, ID), 0);
        }
}

static void write_job(const char *text, size_t size) {
        (void) mkdirat(jobs_fd, ID, 0700);
        assert_true(write_file_at(jobs_fd, ID "/job", text, size, 0600, 0) >= 0);
}

static const char *const hostile[] = {
        "",
        "NAME=web\n",                              /* no kind */
        "KIND=bogus\n",                            /* */
        "KIND=clean\nKIND\n",                      /* no value */
        "KIND=clean\nCOLOUR=red\n",                /* unknown */
        "KIND=clean\nNAME=../etc\n",               /* no name */
        "KIND=clean\nNAME=\n",                     /* */
        "KIND=clean\nNAME=a\nNAME=b\n",            /* twice */
        "KIND=clean\nSNAPSHOT=../s\n",             /* */
        "KIND=clean\nSNAPSHOT=.s\n",               /* */
        "KIND=clean\nSOURCE=a\001b\n",             /* control character */
        "KIND=clean\nSIZE=-1\n",                   /* */
        "KIND=clean\nSIZE=99999999999999999999\n", /* */
        "KIND=bootstrap\nBASE_MAX_AGE_USEC=7d\n",  /* */
        "KIND=clean\nFLAGS=65536\n",               /* unknown flags */
};

static void test_hostile(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(hostile); i++) {
                _cleanup_job_spec_ JobSpec *spec = NULL;
                _cleanup_error_ Error *err = NULL;

                write_job(hostile[i], strlen(hostile[i]));
                assert_int_equal(job_spec_load(jobs_fd, ID, &spec, &err), -EINVAL);
                assert_null(spec);
                assert_non_null(err);
        }
        write_job("KIND=clean\n\0x", 13);
        assert_int_equal(job_spec_load(jobs_fd, ID, &(JobSpec *){ NULL }, NULL), -EINVAL);
        assert_int_equal(job_spec_load(jobs_fd, "ffffffff", &(JobSpec *){ NULL }, NULL), -ENOENT);
        assert_int_equal(job_spec_load(jobs_fd, "../x", &(JobSpec *){ NULL }, NULL), -EINVAL);
        assert_int_equal(job_spec_remove(jobs_fd, ID), 0);
}

static void test_result(void **state) {
        JobResult result = { 0 };

        assert_int_equal(mkdirat(jobs_fd, ID, 0700), 0);
        assert_int_equal(job_result_load(jobs_fd, ID, &result), -ENOENT);
        assert_int_equal(job_result_save(jobs_fd, ID, JOB_OUTCOME_FAILED, "a\tb\nc"), 0);
        assert_int_equal(job_result_load(jobs_fd, ID, &result), 0);
        assert_int_equal(result.outcome, JOB_OUTCOME_FAILED);
        assert_string_equal(result.text, "a?b\nc");
        job_result_done(&result);

        assert_false(job_result_is_settled(jobs_fd, ID));
        assert_int_equal(job_result_settle(jobs_fd, ID), 0);
        assert_true(job_result_is_settled(jobs_fd, ID));

        assert_true(write_file_at(jobs_fd, ID "/result", "well\n", 5, 0600, 0) >= 0);
        assert_int_equal(job_result_load(jobs_fd, ID, &result), -EINVAL);
        assert_true(write_file_at(jobs_fd, ID "/result", "done", 4, 0600, 0) >= 0);
        assert_int_equal(job_result_load(jobs_fd, ID, &result), -EINVAL);
        assert_int_equal(job_spec_remove(jobs_fd, ID), 0);
}

static void test_kind_at_work(void **state) {
        assert_false(job_kind_is_at_work(jobs_fd, JOB_CLEAN));
        write_job("KIND=clean\n", strlen("KIND=clean\n"));
        assert_true(job_kind_is_at_work(jobs_fd, JOB_CLEAN));
        assert_false(job_kind_is_at_work(jobs_fd, JOB_BOOTSTRAP));
        assert_int_equal(job_result_save(jobs_fd, ID, JOB_OUTCOME_DONE, NULL), 0);
        assert_false(job_kind_is_at_work(jobs_fd, JOB_CLEAN));
        assert_int_equal(job_spec_remove(jobs_fd, ID), 0);
}

static void test_list(void **state) {
        _cleanup_strv_ char **ids = NULL;

        assert_int_equal(mkdirat(jobs_fd, "bbbbbbbb", 0700), 0);
        assert_int_equal(mkdirat(jobs_fd, "aaaaaaaa", 0700), 0);
        assert_int_equal(mkdirat(jobs_fd, "other", 0700), 0);
        assert_int_equal(job_spec_list(jobs_fd, &ids), 0);
        assert_int_equal(strv_length(ids), 2);
        assert_string_equal(ids[0], "aaaaaaaa");
        assert_string_equal(ids[1], "bbbbbbbb");
}

static const struct {
        const char *text;
        unsigned number, count;
        const char *stage;
        int percent; /* -1: none */
        const char *line;
} statuses[] = {
        { "[2/5] Installing packages, 43%: Unpacking libc6:amd64", 2, 5, "Installing packages", 43,
          "Unpacking libc6:amd64" },
        { "[1/1] Copying", 1, 1, "Copying", -1, NULL },
        { "[1/3] Copying, 100%", 1, 3, "Copying", 100, NULL },
        { "[1/3] First, second: x: y", 1, 3, "First, second", -1, "x: y" },
};

static void test_status(void **state) {
        static const char *const bad[] = { "", "hello", "[1/2]", "[/2] x", "[-1/2] x", "[1/2 x" };

        for (size_t i = 0; i < ELEMENTSOF(statuses); i++) {
                _cleanup_free_ char *text = NULL;
                JobStatus s;

                assert_int_equal(job_status_parse(statuses[i].text, &s), 0);
                assert_int_equal(s.number, statuses[i].number);
                assert_int_equal(s.count, statuses[i].count);
                assert_string_equal(s.stage, statuses[i].stage);
                assert_int_equal((int) s.percent, statuses[i].percent);
                assert_true(streq_ptr(s.line, statuses[i].line));
                text = job_status_format(&s);
                assert_string_equal(text, statuses[i].text);
                job_status_done(&s);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(job_status_parse(bad[i], &(JobStatus){ 0 }), -EINVAL);
}

static int setup(void **state) {
        if (!mkdtemp(folder))
                return -1;
        jobs_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return jobs_fd < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

static int teardown(void **state) {
        (void) close(jobs_fd);
        return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text_with_lines),
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_round),
                cmocka_unit_test(test_round_bootstrap),
                cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_result),
                cmocka_unit_test(test_kind_at_work),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_status),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}

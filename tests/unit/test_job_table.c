/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of jobs: which excludes which, and which are remembered.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/manager.h"

static Manager manager;

static Job *add(JobKind kind, const char *id, const char *name, const char *source) {
        JobSpec *spec = calloc(1, sizeof(*spec));
        Job *job;

        assert_non_null(spec);
        spec->kind = kind;
        spec->id = strdup(id);
        spec->name = name ? strdup(name) : NULL;
        spec->source = source ? strdup(source) : NULL;
        assert_int_equal(job_new(&manager, spec, &job), 0);
        return job;
}

/* One that runs, and one that wants to begin. */
static const struct {
        JobKind kind;
        const char *name, *source;
        const char *changed, *read;
        bool busy;
} conflicts[] = {
        { JOB_BOOTSTRAP, "web", NULL, "web", NULL, true },
        { JOB_BOOTSTRAP, "web", NULL, "db", NULL, false },
        { JOB_BOOTSTRAP, "web", NULL, "db", "web", true },
        { JOB_VOLUME_CLONE, "web2", "web", "web3", "web", false }, /* two read the same */
        { JOB_VOLUME_CLONE, "web2", "web", "web", NULL, true },
        { JOB_VOLUME_CLONE, "web2", "web", "web2", NULL, true },
        { JOB_VOLUME_DOWNLOAD, "web", NULL, "copy", "web", false },
        { JOB_VOLUME_DOWNLOAD, "web", NULL, "web", NULL, true },
        { JOB_VOLUME_RENAME, "new", "old", NULL, "old", true },
        { JOB_VOLUME_RENAME, "new", "old", NULL, "new", true },
        { JOB_IMPORT, NULL, NULL, "web", "db", false },
        { JOB_CLEAN, NULL, NULL, "web", NULL, false },
};

static void test_conflicts(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(conflicts); i++) {
                Job *job =
                        add(conflicts[i].kind, "00000001", conflicts[i].name, conflicts[i].source);

                print_message("%zu\n", i);
                assert_ptr_equal(job_busy(&manager.jobs, conflicts[i].changed, conflicts[i].read),
                                 conflicts[i].busy ? job : NULL);
                job_set_over(job, JOB_STATE_DONE, NULL);
                assert_null(job_busy(&manager.jobs, conflicts[i].changed, conflicts[i].read));
                job_table_done(&manager.jobs);
                manager.jobs.n_over = 0;
        }
}

/* The oldest that are over go, those that run stay. */
static void test_forget(void **state) {
        Job *running = add(JOB_CLEAN, "ffffffff", NULL, NULL);

        for (unsigned i = 0; i < JOBS_OVER_MAX + 5; i++) {
                char id[16];

                (void) snprintf(id, sizeof(id), "%08x", i);
                job_set_over(add(JOB_BOOTSTRAP, id, "web", NULL), JOB_STATE_FAILED, strdup("why"));
        }
        assert_int_equal(manager.jobs.n_over, JOBS_OVER_MAX);
        assert_int_equal(manager.jobs.n_running, 1);
        assert_ptr_equal(job_by_id(&manager.jobs, "ffffffff"), running);
        assert_null(job_by_id(&manager.jobs, "00000004"));
        assert_non_null(job_by_id(&manager.jobs, "00000005"));
        assert_string_equal(job_by_name(&manager.jobs, "web")->spec->id, "00000024");
        job_table_done(&manager.jobs);
}

static void test_status(void **state) {
        Job *job = add(JOB_BOOTSTRAP, "00000001", "web", NULL);

        assert_true(job_set_status(job, "[1/2] Unpacking, 10%"));
        assert_false(job_set_status(job, "[1/2] Unpacking, 10%"));
        assert_false(job_set_status(job, "something else"));
        assert_int_equal(job->status.number, 1);
        assert_string_equal(job->status.stage, "Unpacking");
        job_table_done(&manager.jobs);
}

static int setup(void **state) {
        TAILQ_INIT(&manager.jobs.list);
        manager.jobs.fd = -1;
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_conflicts),
                cmocka_unit_test(test_forget),
                cmocka_unit_test(test_status),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of a bridge's life. */

#include "edge_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void test_gone(void **state) {
        _cleanup_notes_ Notes n = { 0 };
        const EdgeRoad road = road_of(&n);

        (void) add_link();
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START);
        assert_int_equal(bridge_gone(run_fd, BRIDGE, NULL, &road, 0), 1);
        assert_lines(&n, STOP);
        assert_false(marker_is_there());
        assert_int_equal(handled(), 0);

        /* Nothing is recorded: whoever says so knows. */
        assert_int_equal(bridge_gone(run_fd, BRIDGE, NULL, &road, 0), 0);
        assert_lines(&n, STOP_BARE);
        assert_int_equal(bridge_gone(run_fd, BRIDGE, "default", &road, 0), 0);
        assert_lines(&n, STOP);

        assert_int_equal(bridge_gone(run_fd, "../x", NULL, &road, 0), -EINVAL);
        assert_int_equal(bridge_gone(run_fd, BRIDGE, "a/b", &road, 0), -EINVAL);
        assert_lines(&n, "");
}

/* A bridge of the host outlives its network: the same ifindex is a new incarnation. */
static void test_gone_and_back(void **state) {
        _cleanup_notes_ Notes n = { 0 };
        const EdgeRoad road = road_of(&n);

        (void) add_link();
        assert_edge(&n, EDGE_MADE);
        assert_int_equal(bridge_gone(run_fd, BRIDGE, "default", &road, 0), 1);
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START ", " STOP ", " START);
}

/* The link went down before its network stopped: the marker has gone first. */
static void test_gone_without_marker(void **state) {
        _cleanup_notes_ Notes n = { 0 };
        const EdgeRoad road = road_of(&n);

        (void) add_link();
        assert_edge(&n, EDGE_MADE);
        assert_int_equal(bridge_marker_remove(run_fd, BRIDGE), 1);
        assert_lines(&n, START);
        assert_int_equal(bridge_incarnation_gone(run_fd, BRIDGE, 0, &road, 0), 0);
        assert_lines(&n, STOP);
        assert_int_equal(handled(), 0);
        assert_int_equal(bridge_incarnation_gone(run_fd, BRIDGE, 0, &road, 0), 0);
        assert_lines(&n, "");
}

/* What PID 1 could not be told is on record, for whoever comes next. */
static void test_stop_fails(void **state) {
        _cleanup_notes_ Notes n = { .stop_result = -ETIMEDOUT };
        const EdgeRoad road = road_of(&n);

        (void) add_link();
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START);
        assert_int_equal(bridge_gone(run_fd, BRIDGE, NULL, &road, 0), -ETIMEDOUT);
        assert_false(marker_is_there());
        assert_int_equal(handled(), BRIDGE_ENDED);

        /* Another end of the same life. */
        n.stop_result = 0;
        assert_int_equal(bridge_incarnation_gone(run_fd, BRIDGE, 0, &road, 0), 0);
        assert_lines(&n, STOP);
        assert_int_equal(handled(), 0);

        /* A new beginning. */
        assert_edge(&n, EDGE_MADE);
        assert_int_equal(bridge_gone(run_fd, BRIDGE, NULL, NULL, 0), 1);
        assert_int_equal(handled(), BRIDGE_ENDED);
        n.late_end = true;
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START ", " STOP ", " START);
        assert_edge(&n, EDGE_HANDLED);
        assert_lines(&n, "");
}

static ino_t record(void) {
        struct stat st;

        assert_int_equal(fstatat(run_fd, "handled/" BRIDGE, &st, 0), 0);
        return st.st_ino;
}

/* The agent sees each record that is written, and looks at the bridge again. */
static void test_stop_takes_long(void **state) {
        _cleanup_notes_ Notes n = { .stop_result = -EINPROGRESS };
        const EdgeRoad road = road_of(&n);
        ino_t first;

        (void) add_link();
        assert_edge(&n, EDGE_MADE);
        assert_int_equal(bridge_gone(run_fd, BRIDGE, NULL, &road, 0), -EINPROGRESS);
        first = record();
        assert_int_equal(bridge_incarnation_gone(run_fd, BRIDGE, 0, &road, 0), -EINPROGRESS);
        assert_int_equal(record(), first);
        assert_int_equal(bridge_gone(run_fd, BRIDGE, "default", &road, 0), -EINPROGRESS);
        assert_int_equal(record(), first);
        n.stop_result = 0;
        assert_int_equal(bridge_gone(run_fd, BRIDGE, "default", &road, 0), 0);
        assert_int_equal(handled(), 0);
}

/* No file can grow: all that is written fails, as on a full file system. */
static void set_full(bool full) {
        struct rlimit limit;

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = full ? 0 : limit.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full(void **state) {
        _cleanup_notes_ Notes n = { 0 };
        const EdgeRoad road = road_of(&n);
        int r;

        (void) add_link();
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START);
        set_full(true);
        r = bridge_gone(run_fd, BRIDGE, NULL, &road, 0);
        set_full(false);
        assert_int_equal(r, 1);
        assert_lines(&n, STOP);
        assert_false(marker_is_there());
        assert_int_equal(handled(), 0);

        /* PID 1 cannot be told either: the next beginning is one all the same. */
        assert_edge(&n, EDGE_MADE);
        n.stop_result = -ETIMEDOUT;
        set_full(true);
        r = bridge_gone(run_fd, BRIDGE, NULL, &road, 0);
        set_full(false);
        assert_int_equal(r, -ETIMEDOUT);
        assert_false(marker_is_there());
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START ", " START);
}

static void test_old_news(void **state) {
        _cleanup_notes_ Notes n = { 0 };
        const EdgeRoad road = road_of(&n);
        unsigned first = add_link(), second;

        assert_edge(&n, EDGE_MADE);
        remove_link();
        second = add_link();
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START ", " START);

        assert_int_equal(bridge_incarnation_gone(run_fd, BRIDGE, first, &road, 0), 0);
        assert_int_equal(bridge_incarnation_gone(run_fd, BRIDGE, 0, &road, 0), 0);
        assert_true(marker_is_there());
        assert_lines(&n, "");
        assert_int_equal(bridge_incarnation_gone(run_fd, BRIDGE, second, &road, 0), 1);
        assert_false(marker_is_there());
        assert_int_equal(bridge_incarnation_gone(run_fd, BRIDGE, second, &road, 0), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                test(test_gone),       test(test_gone_and_back),   test(test_gone_without_marker),
                test(test_stop_fails), test(test_stop_takes_long), test(test_full),
                test(test_old_news),
        };

        (void) signal(SIGXFSZ, SIG_IGN);

        if (!enter_namespace()) {
                (void) fprintf(stderr, "skipped: no bridges can be made here: %s\n",
                               strerror(errno));
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}

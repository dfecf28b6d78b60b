/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The beginning of a bridge's life. */

#include "edge_fixture.h"

static void test_link_query(void **state) {
        BridgeLink link = { .ifindex = 1 };
        unsigned ifindex;

        assert_int_equal(bridge_link_query("no-such", &link), 0);
        assert_int_equal(link.ifindex, 0);
        assert_int_equal(bridge_link_query("a/b", &link), -EINVAL);
        assert_int_equal(system("ip link set lo up"), 0);
        assert_int_equal(bridge_link_query("lo", &link), 0);
        assert_int_equal(link.ifindex, 1);
        assert_false(link.up);

        ifindex = add_link();
        assert_int_equal(bridge_link_query(BRIDGE, &link), 0);
        assert_int_equal(link.ifindex, ifindex);
        assert_true(link.up);
        set_link_up(false);
        assert_int_equal(bridge_link_query(BRIDGE, &link), 0);
        assert_int_equal(link.ifindex, ifindex);
        assert_false(link.up);
}

static void test_not_ready(void **state) {
        _cleanup_notes_ Notes n = { 0 };

        assert_edge(&n, EDGE_NOT_READY);
        (void) add_link();
        set_link_up(false);
        assert_edge(&n, EDGE_NOT_READY);
        assert_false(marker_is_there());
        assert_lines(&n, "");
}

static void test_once_per_incarnation(void **state) {
        _cleanup_notes_ Notes n = { 0 };
        unsigned first = add_link();

        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START);
        assert_int_equal(handled(), first);
        assert_edge(&n, EDGE_HANDLED);
        assert_edge(&n, EDGE_HANDLED);
        assert_lines(&n, "");

        /* Nobody told us that the first one has gone. */
        remove_link();
        assert_int_not_equal(add_link(), first);
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START);
}

/* A marker that was lost comes back, without another start. */
static void test_lost_marker(void **state) {
        _cleanup_notes_ Notes n = { 0 };

        (void) add_link();
        assert_edge(&n, EDGE_MADE);
        assert_int_equal(bridge_marker_remove(run_fd, BRIDGE), 1);
        assert_edge(&n, EDGE_HANDLED);
        assert_true(marker_is_there());
        assert_lines(&n, START);
}

static void test_garbage_is_absent(void **state) {
        _cleanup_notes_ Notes n = { 0 };

        (void) add_link();
        assert_int_equal(write_file_at(run_fd, "bridges/" BRIDGE, "\xff\xff", 2, 0644, 0), 1);
        assert_int_equal(write_file_at(run_fd, "handled/" BRIDGE, "IFINDEX=x", 9, 0644, 0), 1);
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START);
}

/* The first witness's word stands until somebody knows more. */
static void test_marker_content(void **state) {
        static const struct {
                Witness witness;
                const char *network;
                Witness expected_witness;
                const char *expected_network;
        } rows[] = {
                { WITNESS_KERNEL, NULL, WITNESS_KERNEL, NULL },
                { WITNESS_LIBVIRT, "default", WITNESS_LIBVIRT, "default" },
                { WITNESS_HOOK, "default", WITNESS_LIBVIRT, "default" },
                { WITNESS_KERNEL, NULL, WITNESS_LIBVIRT, "default" },
                { WITNESS_HOOK, "other", WITNESS_HOOK, "other" },
        };
        _cleanup_notes_ Notes n = { .late_network = true };
        EdgeOutcome outcome;

        (void) add_link();
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_marker_ BridgeMarker m = { 0 };

                assert_int_equal(edge(&n, rows[i].witness, rows[i].network, &outcome), 0);
                assert_int_equal(bridge_marker_read(run_fd, BRIDGE, &m), 0);
                assert_int_equal(m.witness, rows[i].expected_witness);
                assert_true(streq_ptr(m.network, rows[i].expected_network));
        }
        assert_lines(&n, AUTOSTART ", start ctvirt-network@default.target, "
                                   "start ctvirt-network@other.target");
}

static void test_failed_units(void **state) {
        _cleanup_notes_ Notes n = { 0 };
        char *failed[] = { (char *) "systemd-nspawn@a.service", (char *) "systemd-nspawn@b.service",
                           (char *) "systemd-nspawn@z.service", NULL };

        (void) add_link();
        want((const char *[]){ "systemd-nspawn@b.service", "systemd-nspawn@a.service",
                               "systemd-nspawn@ok.service", NULL });

        n.failed = failed;
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, "reset systemd-nspawn@a.service, reset systemd-nspawn@b.service, " START);
}

/* PID 1 is not even asked. */
static void test_no_wanted_units(void **state) {
        char *failed[] = { (char *) "systemd-nspawn@a.service", NULL };
        _cleanup_notes_ Notes n = { .failed = failed };

        (void) add_link();
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START);
}

/* Without a list the start is made all the same. */
static void test_list_times_out(void **state) {
        _cleanup_notes_ Notes n = { .list_result = -ETIMEDOUT };

        (void) add_link();
        want((const char *[]){ "systemd-nspawn@a.service", NULL });
        assert_edge(&n, EDGE_MADE);
        assert_lines(&n, START);
}

static void test_start_fails(void **state) {
        _cleanup_notes_ Notes n = { .start_result = -ETIMEDOUT };
        EdgeOutcome outcome;

        (void) add_link();
        assert_int_equal(edge(&n, WITNESS_HOOK, NULL, &outcome), -ETIMEDOUT);
        assert_true(marker_is_there());
        assert_int_equal(handled(), 0);

        n.start_result = 0;
        assert_edge(&n, EDGE_MADE);
}

static void test_no_road(void **state) {
        const EdgeRequest request = { .bridge = BRIDGE, .witness = WITNESS_HOOK };
        _cleanup_notes_ Notes n = { 0 };
        EdgeOutcome outcome;

        (void) add_link();
        assert_int_equal(bridge_edge(run_fd, &request, NULL, 0, &outcome), -ENOTCONN);
        assert_true(marker_is_there());
        assert_edge(&n, EDGE_MADE);
        assert_int_equal(bridge_edge(run_fd, &request, NULL, 0, &outcome), 0);
        assert_int_equal(outcome, EDGE_HANDLED);
}

/* The start would be skipped by the gate, so it must not count. */
static void test_marker_cannot_be_written(void **state) {
        _cleanup_notes_ Notes n = { 0 };
        EdgeOutcome outcome;

        (void) add_link();
        assert_int_equal(unlinkat(run_fd, "bridges", AT_REMOVEDIR), 0);
        assert_int_equal(edge(&n, WITNESS_HOOK, NULL, &outcome), -ENOENT);
        assert_lines(&n, "");
        assert_int_equal(handled(), 0);
}

static void test_crash_before_record(void **state) {
        _cleanup_notes_ Notes n = { 0 };
        EdgeOutcome outcome;
        int status;
        pid_t pid;

        (void) add_link();
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                n.die_at_start = true;
                (void) edge(&n, WITNESS_HOOK, NULL, &outcome);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
        assert_edge(&n, EDGE_MADE);
}

static uint64_t now_msec(void) {
        struct timespec t;

        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
        return (uint64_t) t.tv_sec * 1000 + (uint64_t) t.tv_nsec / 1000000;
}

static void test_lock(void **state) {
        const EdgeRequest request = { .bridge = BRIDGE, .witness = WITNESS_HOOK };
        _cleanup_close_ int fd = openat(run_fd, "lock/" BRIDGE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_notes_ Notes n = { 0 };
        const EdgeRoad road = road_of(&n);
        uint64_t begin = now_msec();
        EdgeOutcome outcome;
        int status;
        pid_t pid;

        (void) add_link();
        assert_int_equal(flock(fd, LOCK_EX), 0);
        assert_int_equal(bridge_edge(run_fd, &request, &road, 0, &outcome), -EWOULDBLOCK);
        assert_int_equal(bridge_gone(run_fd, BRIDGE, NULL, &road, 0), -EWOULDBLOCK);
        assert_int_equal(bridge_edge(run_fd, &request, &road, 30000, &outcome), -EWOULDBLOCK);
        assert_in_range(now_msec() - begin, 30, 1000);
        assert_false(marker_is_there());

        /* Somebody else's lock is over in time. */
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void) usleep(50000);
                (void) flock(fd, LOCK_UN);
                _exit(0);
        }
        assert_int_equal(bridge_edge(run_fd, &request, &road, 5000000, &outcome), 0);
        assert_int_equal(outcome, EDGE_MADE);
        assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* Any number of witnesses at the same time, one start. */
static void test_many_witnesses(void **state) {
        _cleanup_close_ int fd =
                openat(run_fd, "starts", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        const EdgeRequest request = { .bridge = BRIDGE, .witness = WITNESS_LIBVIRT };
        struct stat st;
        int status;

        (void) add_link();
        for (int i = 0; i < 16; i++) {
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        _cleanup_notes_ Notes n = { 0 };
                        const EdgeRoad road = road_of(&n);
                        EdgeOutcome outcome;

                        if (bridge_edge(run_fd, &request, &road, 10000000, &outcome) < 0)
                                _exit(1);
                        if (outcome == EDGE_MADE && write(fd, "x", 1) != 1)
                                _exit(2);
                        _exit(0);
                }
        }
        while (wait(&status) > 0)
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, 1);
}

/* Only the hook says that one more network of the same bridge has started. */
static void assert_marker_network(const char *network) {
        _cleanup_marker_ BridgeMarker m = { 0 };

        assert_int_equal(bridge_marker_read(run_fd, BRIDGE, &m), 0);
        assert_string_equal(m.network, network);
}

static void test_second_network(void **state) {
        _cleanup_notes_ Notes n = { .late_network = true };
        const EdgeRoad road = road_of(&n);
        EdgeOutcome outcome;

        (void) add_link();
        assert_int_equal(edge(&n, WITNESS_KERNEL, NULL, &outcome), 0);
        assert_int_equal(outcome, EDGE_MADE);
        assert_lines(&n, AUTOSTART);
        assert_int_equal(edge(&n, WITNESS_LIBVIRT, "default", &outcome), 0);
        assert_lines(&n, "");
        assert_edge(&n, EDGE_HANDLED);
        assert_lines(&n, "start ctvirt-network@default.target");
        assert_edge(&n, EDGE_HANDLED);
        assert_lines(&n, "");

        /* Each goes for itself, the last one takes the bridge along. */
        assert_int_equal(edge(&n, WITNESS_HOOK, "other", &outcome), 0);
        assert_lines(&n, "start ctvirt-network@other.target");
        n.late_end = true;
        assert_marker_network("other");
        assert_int_equal(bridge_gone(run_fd, BRIDGE, "other", NULL, 0), -ENOTCONN);
        assert_int_equal(bridge_gone(run_fd, BRIDGE, "other", &road, 0), 0);
        assert_lines(&n, "stop ctvirt-network@other.target");
        assert_marker_network("default");
        assert_int_equal(handled(), if_nametoindex(BRIDGE));
        assert_edge(&n, EDGE_HANDLED);
        assert_lines(&n, "");
        assert_int_equal(edge(&n, WITNESS_HOOK, "other", &outcome), 0);
        assert_lines(&n, "start ctvirt-network@other.target");
        assert_int_equal(bridge_gone(run_fd, BRIDGE, "default", &road, 0), 0);
        assert_lines(&n, "stop ctvirt-network@default.target");
        n.late_end = false;
        assert_int_equal(bridge_gone(run_fd, BRIDGE, "other", &road, 0), 1);
        assert_lines(&n, "stop ctvirt-autostart@br-test.target, "
                         "stop ctvirt-network@other.target, stop ctvirt-bridge@br-test.target");
}

/* The bridge itself has gone: with all of them. */
static void test_networks_without_bridge(void **state) {
        _cleanup_notes_ Notes n = { .late_network = true };
        const EdgeRoad road = road_of(&n);
        EdgeOutcome outcome;

        (void) add_link();
        assert_edge(&n, EDGE_MADE);
        assert_int_equal(edge(&n, WITNESS_HOOK, "other", &outcome), 0);
        assert_lines(&n, START ", start ctvirt-network@other.target");
        remove_link();
        assert_int_equal(bridge_gone(run_fd, BRIDGE, "other", &road, 0), 1);
        assert_lines(&n, "stop ctvirt-autostart@br-test.target, "
                         "stop ctvirt-network@default.target, stop ctvirt-network@other.target, "
                         "stop ctvirt-bridge@br-test.target");
        assert_int_equal(handled(), 0);
}

/* A network that no unit can be named after. */
static void test_long_network(void **state) {
        _cleanup_notes_ Notes n = { 0 };
        char name[200];
        EdgeOutcome outcome;

        memset(name, '+', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        (void) add_link();
        assert_int_equal(edge(&n, WITNESS_HOOK, name, &outcome), 0);
        assert_int_equal(outcome, EDGE_MADE);
        assert_lines(&n, AUTOSTART);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                test(test_link_query),
                test(test_not_ready),
                test(test_lost_marker),
                test(test_once_per_incarnation),
                test(test_marker_content),
                test(test_garbage_is_absent),
                test(test_failed_units),
                test(test_no_wanted_units),
                test(test_list_times_out),
                test(test_start_fails),
                test(test_no_road),
                test(test_marker_cannot_be_written),
                test(test_lock),
                test(test_crash_before_record),
                test(test_many_witnesses),
                test(test_second_network),
                test(test_networks_without_bridge),
                test(test_long_network),
        };

        if (!enter_namespace()) {
                (void) fprintf(stderr, "skipped: no bridges can be made here: %s\n",
                               strerror(errno));
                return 77;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}

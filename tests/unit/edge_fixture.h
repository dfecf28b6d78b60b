#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The edge with real links (in a network namespace of the test's own) and a road that writes down
 * what it is asked for.
 */

#include "units/edge.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/fileio.h"
#include "base/strv.h"
#include "units/bridge_link.h"
#include "units/run_dir.h"
#include "units/wanted_units.h"

#define BRIDGE "br-test"
#define AUTOSTART "start ctvirt-autostart@br-test.target"
#define START "start ctvirt-network@default.target, " AUTOSTART
#define STOP_BARE "stop ctvirt-autostart@br-test.target, stop ctvirt-bridge@br-test.target"
#define STOP                                                                                       \
        "stop ctvirt-autostart@br-test.target, stop ctvirt-network@default.target, "               \
        "stop ctvirt-bridge@br-test.target"
#define GENERATED "/run/systemd/generator"

static char root[64];
static int run_fd = -1;

/*
 * Links
 */

static inline void link_ioctl(unsigned long request, void *argument) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_true(ioctl(fd, request, argument) >= 0);
}

static inline void set_link_up(bool up) {
        struct ifreq req = { .ifr_name = BRIDGE, .ifr_flags = up ? IFF_UP : 0 };

        link_ioctl(SIOCSIFFLAGS, &req);
}

static inline unsigned add_link(void) {
        char name[IFNAMSIZ] = BRIDGE;

        link_ioctl(SIOCBRADDBR, name);
        set_link_up(true);
        return if_nametoindex(BRIDGE);
}

static inline void remove_link(void) {
        char name[IFNAMSIZ] = BRIDGE;

        set_link_up(false);
        link_ioctl(SIOCBRDELBR, name);
}

/*
 * The road
 */

typedef struct Notes {
        char **lines;
        char **failed; /* what list_to_reset says */
        int list_result;
        int start_result;
        int stop_result;
        bool late_end;     /* it is the new life's edge that stops what is left of the old one */
        bool late_network; /* the start is only that of a network's target */
        bool die_at_start; /* the crash between job and record */
} Notes;

static inline int road_list_to_reset(void *userdata, char ***ret) {
        Notes *n = userdata;

        if (n->list_result < 0)
                return n->list_result;
        return strv_copy(n->failed, ret);
}

static inline int road_reset_failed(void *userdata, const char *unit) {
        Notes *n = userdata;

        return strv_extendf(&n->lines, "reset %s", unit);
}

static inline int note(Notes *n, const char *verb, char *const *units) {
        assert_true(strv_length(units) > 0);
        for (; *units; units++)
                assert_int_equal(strv_extendf(&n->lines, "%s %s", verb, *units), 0);
        return 0;
}

static inline int road_start(void *userdata, char *const *units) {
        _cleanup_marker_ BridgeMarker m = { 0 };
        Notes *n = userdata;
        unsigned handled;

        /* The order of things is the point: gate open, record not yet written. */
        assert_int_equal(bridge_marker_read(run_fd, BRIDGE, &m), 0);
        assert_int_equal(m.ifindex, if_nametoindex(BRIDGE));
        assert_int_equal(bridge_handled_read(run_fd, BRIDGE, &handled), 0);
        assert_true(handled != m.ifindex || n->late_network);

        if (n->die_at_start)
                _exit(42);
        if (n->start_result < 0)
                return n->start_result;
        return note(n, "start", units);
}

static inline int road_stop(void *userdata, char *const *units) {
        Notes *n = userdata;

        /* Nothing is started that is just being stopped, unless this is the end before. */
        if (!n->late_end)
                assert_int_equal(faccessat(run_fd, "bridges/" BRIDGE, F_OK, 0), -1);
        if (n->stop_result < 0)
                return n->stop_result;
        return note(n, "stop", units);
}

static inline EdgeRoad road_of(Notes *n) {
        return (EdgeRoad){
                .list_to_reset = road_list_to_reset,
                .reset_failed = road_reset_failed,
                .start = road_start,
                .stop = road_stop,
                .userdata = n,
        };
}

static inline void notes_done(Notes *n) {
        strv_free(n->lines);
        *n = (Notes){ 0 };
}
#define _cleanup_notes_ _cleanup_(notes_done)

static inline void assert_lines(Notes *n, const char *expected) {
        _cleanup_free_ char *text = strv_join(n->lines, ", ");

        assert_string_equal(text, expected);
        strv_free(TAKE_PTR(n->lines));
}

static inline int edge(Notes *n, Witness witness, const char *network, EdgeOutcome *ret) {
        const EdgeRequest request = { .bridge = BRIDGE, .network = network, .witness = witness };
        const EdgeRoad road = road_of(n);

        return bridge_edge(run_fd, &request, &road, 0, ret);
}

static inline void assert_edge(Notes *n, EdgeOutcome expected) {
        EdgeOutcome outcome = (EdgeOutcome) -1;

        assert_int_equal(edge(n, WITNESS_HOOK, "default", &outcome), 0);
        assert_int_equal(outcome, expected);
}

static inline unsigned handled(void) {
        unsigned ifindex = 0;

        assert_int_equal(bridge_handled_read(run_fd, BRIDGE, &ifindex), 0);
        return ifindex;
}

static inline bool marker_is_there(void) {
        return faccessat(run_fd, "bridges/" BRIDGE, F_OK, 0) == 0;
}

/* The units that the generator has hung under the bridge's target. */
static inline void want(const char *const *units) {
        _cleanup_(wanted_units_freep) WantedUnits *w = NULL;
        _cleanup_free_ char *folder = NULL;
        _cleanup_close_ int fd = -1;

        for (; *units; units++)
                assert_int_equal(wanted_units_add(&w, BRIDGE, *units), 0);
        assert_true(asprintf(&folder, "%s" GENERATED, root) > 0);
        assert_int_equal(make_directories(folder, 0755), 0);
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(wanted_units_write(w, fd), 0);
}

/*
 * Tests
 */

static inline int set_up(void **state) {
        (void) snprintf(root, sizeof(root), "/tmp/ctvirt-test.XXXXXX");
        if (!mkdtemp(root))
                return -1;
        run_fd = run_dir_open_at(root);
        return run_fd < 0 ? -1 : 0;
}

static inline int tear_down(void **state) {
        char command[96];

        if (if_nametoindex(BRIDGE) != 0)
                remove_link();
        (void) close(run_fd);
        (void) snprintf(command, sizeof(command), "rm -rf %s", root);
        return system(command); /* NOLINT(cert-env33-c): a name of our own */
}

/* A network namespace in which we may make bridges. */
static inline bool enter_namespace(void) {
        _cleanup_close_ int fd = -1;
        char name[IFNAMSIZ] = BRIDGE;

        if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
                return false;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return fd >= 0 && ioctl(fd, SIOCBRADDBR, name) >= 0 && ioctl(fd, SIOCBRDELBR, name) >= 0;
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

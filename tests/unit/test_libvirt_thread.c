/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The thread against libvirt's own test driver (drvtest), which lives in the calling process: what
 * another connection to test:///default does, this one hears of.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <libvirt/libvirt.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "agent/libvirt_thread.h"

#define WAIT_MSEC 10000

static LibvirtMessage *waiting; /* taken, and not looked at yet */

static double now_msec(void) {
        struct timespec t;

        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static LibvirtMessage *next_message(LibvirtThread *t, int msec) {
        struct pollfd p = { .fd = libvirt_thread_fd(t), .events = POLLIN };
        LibvirtMessage *m;

        if (!waiting && poll(&p, 1, msec) == 1)
                waiting = libvirt_thread_take(t);
        m = waiting;
        if (m)
                waiting = TAKE_PTR(m->next);
        return m;
}

static LibvirtMessage *expect(LibvirtThread *t, LibvirtMessageType type) {
        LibvirtMessage *m = next_message(t, WAIT_MSEC);

        assert_non_null(m);
        assert_int_equal(m->type, type);
        return m;
}

static void drop_waiting(void) {
        while (waiting) {
                LibvirtMessage *m = waiting;

                waiting = m->next;
                libvirt_message_free(m);
        }
}

static void send_type(LibvirtThread *t, LibvirtMessageType type) {
        LibvirtMessage *m = libvirt_message_new(type);

        assert_non_null(m);
        libvirt_thread_push(t, m);
}

static LibvirtThread *connected_thread(void) {
        LibvirtThread *t;
        LibvirtMessage *m;

        assert_int_equal(libvirt_thread_new("test:///default", &t), 0);
        m = expect(t, LIBVIRT_CONNECTED);
        assert_true(m->version >= 9000000);
        libvirt_message_free(m);
        return t;
}

static void test_connect_and_list(void **state) {
        LibvirtThread *t = connected_thread();
        LibvirtMessage *m = expect(t, LIBVIRT_NETWORKS);

        assert_int_equal(m->n_networks, 1);
        assert_string_equal(m->networks[0].name, "default");
        assert_string_equal(m->networks[0].bridge, "virbr0");
        assert_string_equal(m->networks[0].forward_mode, "nat");
        assert_true(m->networks[0].exists);
        assert_true(m->networks[0].active);
        assert_true(m->networks[0].persistent);
        assert_true(m->asked_usec > 0);
        assert_true(m->networks[0].asked_usec >= m->asked_usec);
        libvirt_message_free(m);

        send_type(t, LIBVIRT_RELIST);
        libvirt_message_free(expect(t, LIBVIRT_NETWORKS));

        libvirt_thread_free(t);
}

static void expect_event(LibvirtThread *t, int event, bool exists, bool active) {
        LibvirtMessage *m = expect(t, LIBVIRT_NETWORK_EVENT);

        assert_int_equal(m->event, event);
        assert_int_equal(m->n_networks, 1);
        assert_int_equal(m->networks[0].exists, exists);
        assert_int_equal(m->networks[0].active, active);
        libvirt_message_free(m);
}

static void test_events(void **state) {
        LibvirtThread *t = connected_thread();
        virConnectPtr conn;
        virNetworkPtr net;

        libvirt_message_free(expect(t, LIBVIRT_NETWORKS));
        conn = virConnectOpen("test:///default");
        assert_non_null(conn);
        net = virNetworkLookupByName(conn, "default");
        assert_non_null(net);

        assert_int_equal(virNetworkDestroy(net), 0);
        expect_event(t, VIR_NETWORK_EVENT_STOPPED, true, false);
        assert_int_equal(virNetworkCreate(net), 0);
        expect_event(t, VIR_NETWORK_EVENT_STARTED, true, true);
        virNetworkFree(net);

        net = virNetworkCreateXML(conn,
                                  "<network><name>passing</name><bridge name='pass0'/>"
                                  "<ip address='10.9.8.1' netmask='255.255.255.0'/></network>");
        assert_non_null(net);
        expect_event(t, VIR_NETWORK_EVENT_STARTED, true, true);
        assert_int_equal(virNetworkDestroy(net), 0);
        expect_event(t, VIR_NETWORK_EVENT_STOPPED, false, false);
        virNetworkFree(net);

        (void) virConnectClose(conn);
        libvirt_thread_free(t);
}

static void test_taps(void **state) {
        static const char *const uris[] = { "test:///default", "nosuch:///system" };
        LibvirtThread *t = connected_thread();

        libvirt_message_free(expect(t, LIBVIRT_NETWORKS));
        for (size_t i = 0; i < ELEMENTSOF(uris); i++) {
                LibvirtMessage *m = libvirt_message_new(LIBVIRT_GET_TAPS);

                m->name = strdup(uris[i]);
                libvirt_thread_push(t, m);
                m = expect(t, LIBVIRT_TAPS);
                assert_int_equal(m->error, i == 0 ? 0 : -EIO);
                assert_int_equal(m->text != NULL, i > 0);
                assert_int_equal(m->taps.n_items, 0);
                libvirt_message_free(m);
        }

        /* The connection to the networks' libvirt is another one. */
        send_type(t, LIBVIRT_RELIST);
        libvirt_message_free(expect(t, LIBVIRT_NETWORKS));
        libvirt_thread_free(t);
}

static void test_leases(void **state) {
        LibvirtThread *t = connected_thread();
        LibvirtMessage *m;

        libvirt_message_free(expect(t, LIBVIRT_NETWORKS));
        m = libvirt_message_new(LIBVIRT_GET_LEASES);
        m->name = strdup("nosuch");
        m->cookie = 42;
        libvirt_thread_push(t, m);

        m = expect(t, LIBVIRT_LEASES);
        assert_int_equal(m->cookie, 42);
        assert_int_equal(m->error, -ENXIO);
        assert_non_null(m->text);
        libvirt_message_free(m);
        libvirt_thread_free(t);
}

/* Tries and tries, but tells once, and is at once there when told to try now. */
static void test_no_libvirt(void **state) {
        LibvirtThread *t;
        LibvirtMessage *m;

        assert_int_equal(libvirt_thread_new("test:///nonexistent/definition.xml", &t), 0);
        m = expect(t, LIBVIRT_DISCONNECTED);
        assert_non_null(m->text);
        libvirt_message_free(m);

        assert_null(next_message(t, 500));
        send_type(t, LIBVIRT_RELIST);
        assert_null(next_message(t, 100));

        m = libvirt_message_new(LIBVIRT_GET_LEASES);
        m->name = strdup("default");
        libvirt_thread_push(t, m);
        m = expect(t, LIBVIRT_LEASES);
        assert_int_equal(m->error, -ENOTCONN);
        libvirt_message_free(m);
        libvirt_thread_free(t);
}

static double cpu_msec(void) {
        struct timespec t;

        assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static long switches_of(const char *task) {
        char path[64], line[256];
        long n, found = 0;
        FILE *f;

        (void) snprintf(path, sizeof(path), "/proc/self/task/%.16s/status", task);
        f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
                        found = n;
        if (f)
                (void) fclose(f);
        return found;
}

/* Each time that a thread went to sleep: how often it woke up. */
static long context_switches(void) {
        DIR *dir = opendir("/proc/self/task");
        struct dirent *entry;
        long total = 0;

        assert_non_null(dir);
        while ((entry = readdir(dir)))
                if (*entry->d_name != '.')
                        total += switches_of(entry->d_name);
        (void) closedir(dir);
        return total;
}

static void test_sleeps_when_connected(void **state) {
        LibvirtThread *t = connected_thread();
        double cpu;
        long switches;

        libvirt_message_free(expect(t, LIBVIRT_NETWORKS));
        assert_null(next_message(t, 100));
        cpu = cpu_msec();
        switches = context_switches();
        assert_null(next_message(t, 500));
        assert_true(cpu_msec() - cpu < 5);
        assert_true(context_switches() - switches <= 3);
        libvirt_thread_free(t);
}

/* A socket that takes connections and says nothing is what a stopped daemon looks like. */
static int silent_daemon(struct sockaddr_un *address) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        (void) snprintf(address->sun_path, sizeof(address->sun_path), "/tmp/ctvirt-silent-%d",
                        (int) getpid());
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *) address, sizeof(*address)), 0);
        assert_int_equal(listen(fd, 8), 0);
        return fd;
}

/* The last test: the thread is left behind. */
static void test_end_of_a_blocked_thread(void **state) {
        struct sockaddr_un address;
        int fd = silent_daemon(&address);
        char uri[256];
        LibvirtThread *t;
        double start;

        (void) snprintf(uri, sizeof(uri), "qemu+unix:///system?socket=%s", address.sun_path);
        assert_int_equal(libvirt_thread_new(uri, &t), 0);
        assert_null(next_message(t, 300));

        start = now_msec();
        libvirt_thread_free(t);
        assert_true(now_msec() - start < 2000);
        (void) unlink(address.sun_path);
        (void) close(fd);
}

static int teardown(void **state) {
        drop_waiting();
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_connect_and_list, teardown),
                cmocka_unit_test_teardown(test_events, teardown),
                cmocka_unit_test_teardown(test_leases, teardown),
                cmocka_unit_test_teardown(test_taps, teardown),
                cmocka_unit_test_teardown(test_no_libvirt, teardown),
                cmocka_unit_test_teardown(test_sleeps_when_connected, teardown),
                cmocka_unit_test_teardown(test_end_of_a_blocked_thread, teardown),
        };
        int r = cmocka_run_group_tests(tests, NULL, NULL);

        /* Neither exit handlers nor the leak check go well with a thread inside libvirt. */
        (void) fflush(NULL);
        _exit(r);
}

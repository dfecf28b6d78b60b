/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/pid1.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/strv.h"
#include "units/unit_list.h"

#define PRIVATE_ADDRESS "unix:path=/run/systemd/private"
#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

#define TAKEN_FIRST_RETRY_USEC 50
#define TAKEN_LAST_RETRY_USEC 5000
#define RECONNECT_NSEC (10 * 1000 * 1000)

struct Pid1 {
        sd_bus *bus;
        uint64_t deadline_usec;
};

static uint64_t now_usec(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static uint64_t time_left(const Pid1 *pid1) {
        uint64_t now = now_usec();

        return now < pid1->deadline_usec ? pid1->deadline_usec - now : 0;
}

/* Waits for the socket, if there was nothing to do. */
static int turn(Pid1 *pid1) {
        uint64_t left;
        int r;

        r = sd_bus_process(pid1->bus, NULL);
        if (r != 0)
                return r;
        left = time_left(pid1);
        if (left == 0)
                return -ETIMEDOUT;
        r = sd_bus_wait(pid1->bus, left);
        return r == -EINTR ? 0 : r;
}

/* sd_bus_call() and sd_bus_flush() would wait for the end of authentication without a limit. */
static int wait_until_ready(Pid1 *pid1) {
        int r;

        while ((r = sd_bus_is_ready(pid1->bus)) == 0) {
                r = turn(pid1);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : 0;
}

static int wait_until_written(Pid1 *pid1) {
        uint64_t queued;
        int r;

        for (;;) {
                r = sd_bus_get_n_queued_write(pid1->bus, &queued);
                if (r < 0 || queued == 0)
                        return r < 0 ? r : 0;
                r = turn(pid1);
                if (r < 0)
                        return r;
        }
}

/* What nobody has read is thrown away when the other side closes, as PID 1 does when it executes
 * itself anew. */
static int check_open(int fd) {
        struct pollfd p = { .fd = fd };

        if (poll(&p, 1, 0) < 0)
                return negative_errno();
        return p.revents & (POLLHUP | POLLERR) ? -ECONNRESET : 0;
}

/* The kernel tells how much the other side has left unread, but has no event for it. */
static int wait_until_taken(Pid1 *pid1) {
        uint64_t pause = TAKEN_FIRST_RETRY_USEC;
        int fd = sd_bus_get_fd(pid1->bus);
        int unread;

        if (fd < 0)
                return fd;

        for (;;) {
                if (ioctl(fd, SIOCOUTQ, &unread) < 0)
                        return negative_errno();
                if (unread == 0)
                        return check_open(fd);
                if (time_left(pid1) == 0)
                        return -ETIMEDOUT;

                (void) nanosleep(&(struct timespec){ .tv_nsec = (long) pause * 1000 }, NULL);
                /* About an eighth of the time that has passed is the most that is lost. */
                if (pause < TAKEN_LAST_RETRY_USEC)
                        pause += pause / 8;
        }
}

static int connect_bus(Pid1 *pid1) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        if (pid1->bus)
                return 0;
        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, PRIVATE_ADDRESS);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0)
                return r;
        pid1->bus = TAKE_PTR(bus);
        return 0;
}

/* Not sd_bus_flush_close_unref(): flushing waits without a limit. */
static void disconnect(Pid1 *pid1) {
        pid1->bus = sd_bus_close_unref(pid1->bus);
}

/* What a PID 1 that executes itself anew answers (daemon-reexec, an update of systemd): it has
 * closed the socket for some ten milliseconds. EAGAIN: too many others want to connect. */
static bool is_passing(int r) {
        return r == -ECONNREFUSED || r == -ECONNRESET || r == -EPIPE || r == -ENOTCONN ||
               r == -EAGAIN;
}

typedef struct Order {
        const char *method;
        char *const *units; /* one message each */
        const char *mode;   /* NULL for a method that takes the unit alone */
        bool wait_until_taken;
} Order;

static int send_message(Pid1 *pid1, const Order *order, const char *unit) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(pid1->bus, &m, DESTINATION, MANAGER_PATH,
                                           MANAGER_INTERFACE, order->method);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", unit);
        if (r >= 0 && order->mode)
                r = sd_bus_message_append(m, "s", order->mode);
        if (r >= 0)
                r = sd_bus_message_set_expect_reply(m, false);
        return r < 0 ? r : sd_bus_send(pid1->bus, m, NULL);
}

static int try_order(Pid1 *pid1, const Order *order) {
        int r;

        r = connect_bus(pid1);
        if (r >= 0)
                r = wait_until_ready(pid1);
        for (char *const *unit = order->units; *unit && r >= 0; unit++)
                r = send_message(pid1, order, *unit);
        if (r >= 0)
                r = wait_until_written(pid1);
        return r < 0 || !order->wait_until_taken ? r : wait_until_taken(pid1);
}

/* An order that PID 1 gets twice does no harm. */
static int send_order(Pid1 *pid1, const Order *order) {
        int r;

        while (is_passing(r = try_order(pid1, order)) && time_left(pid1) > 0) {
                disconnect(pid1);
                (void) nanosleep(&(struct timespec){ .tv_nsec = RECONNECT_NSEC }, NULL);
        }
        return r;
}

/* A start follows on the same connection, and that one waits. */
static int road_reset_failed(void *userdata, const char *unit) {
        char *const units[] = { (char *) unit, NULL };

        return send_order(userdata, &(Order){ .method = "ResetFailedUnit", .units = units });
}

static int road_start(void *userdata, char *const *units) {
        const Order order = {
                .method = "StartUnit", .units = units, .mode = "replace", .wait_until_taken = true
        };

        return send_order(userdata, &order);
}

static int road_stop(void *userdata, char *const *units) {
        const Order order = {
                .method = "StopUnit", .units = units, .mode = "replace", .wait_until_taken = true
        };

        return send_order(userdata, &order);
}

static int road_list_to_reset(void *userdata, char ***ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        Pid1 *pid1 = userdata;
        uint64_t left;
        int r;

        r = connect_bus(pid1);
        if (r >= 0)
                r = wait_until_ready(pid1);
        if (r >= 0)
                r = unit_list_new_call(pid1->bus, UNIT_LIST_TO_RESET, &m);
        if (r < 0)
                return r;

        /* To sd_bus_call() 0 means its own default of 25 seconds. */
        left = time_left(pid1);
        if (left == 0)
                return -ETIMEDOUT;
        r = sd_bus_call(pid1->bus, m, left, NULL, &reply);
        return r < 0 ? r : unit_list_names(reply, ret);
}

int pid1_connect(uint64_t deadline_usec, Pid1 **ret) {
        _cleanup_(pid1_freep) Pid1 *pid1 = NULL;
        int r;

        pid1 = calloc(1, sizeof(*pid1));
        if (!pid1)
                return -ENOMEM;
        pid1->deadline_usec = deadline_usec;

        r = connect_bus(pid1);
        if (r < 0 && !is_passing(r))
                return r;

        *ret = TAKE_PTR(pid1);
        return 0;
}

EdgeRoad pid1_road(Pid1 *pid1) {
        return (EdgeRoad){
                .list_to_reset = road_list_to_reset,
                .reset_failed = road_reset_failed,
                .start = road_start,
                .stop = road_stop,
                .userdata = pid1,
        };
}

Pid1 *pid1_free(Pid1 *pid1) {
        if (!pid1)
                return NULL;
        disconnect(pid1);
        free(pid1);
        return NULL;
}

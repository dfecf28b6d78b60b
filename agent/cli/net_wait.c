/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * net-wait: looks at all networks once it listens to the agent, and again whenever the agent says
 * anything of a network, or comes back. What an agent finds ready at its start is no event, as
 * nothing has happened: so it looks from time to time as well.
 */

#include "agent/cli/net_wait.h"

#include <signal.h>
#include <strings.h>
#include <systemd/sd-event.h>

#include "agent/cli/bus.h"
#include "agent/cli/info.h"

#define TIMEOUT_MAX ((unsigned) INT32_MAX / 1000)
#define LOOK_AGAIN_USEC UINT64_C(1000000)

typedef enum WaitState {
        WAIT_GOES_ON,
        WAIT_READY,
        WAIT_TIMED_OUT,
        WAIT_INTERRUPTED,
        WAIT_DISCONNECTED,
        WAIT_FAILED, /* and it has been said why */
} WaitState;

typedef struct NetWait {
        Cli *cli;
        char **names;
        size_t n_names;
        bool *ready; /* by name */
        unsigned timeout;

        sd_event *loop;
        sd_event_source *timer; /* of the next look */
        sd_bus_slot *slots[3];
        sd_bus_slot *look; /* a question that is under way */
        bool look_again;   /* its answer may be old */
        bool answered;     /* so there is an agent, even if it should be away now */
        sigset_t old_mask;
        WaitState state;
} NetWait;

static void net_wait_done(NetWait *w) {
        for (size_t i = 0; i < ELEMENTSOF(w->slots); i++)
                sd_bus_slot_unref(w->slots[i]);
        sd_bus_slot_unref(w->look);
        sd_event_source_disable_unref(w->timer);
        if (w->loop) {
                (void) sd_bus_detach_event(w->cli->bus);
                sd_event_unref(w->loop);
                (void) sigprocmask(SIG_SETMASK, &w->old_mask, NULL);
        }
        free(w->ready);
}

/* Not sd_event_exit(): that would also close the bus, which the next command may need. */
static void net_wait_end(NetWait *w, WaitState state) {
        if (w->state == WAIT_GOES_ON)
                w->state = state;
}

/*
 * Looking
 */

static bool is_ready(const NetworkList *list, const char *what) {
        for (size_t i = 0; i < list->n; i++) {
                const NetworkInfo *info = &list->items[i];

                if (streq(info->name, what) || strcasecmp(info->uuid, what) == 0)
                        return info->ready;
        }
        return false;
}

/* What is asked for is all of them at the same time: one can become unready again. */
static void take_answer(NetWait *w, const NetworkList *list) {
        size_t n_ready = 0;

        for (size_t i = 0; i < w->n_names; i++) {
                bool ready = is_ready(list, w->names[i]);

                if (ready && !w->ready[i])
                        output_print(&w->cli->output, "Network %s is ready\n", w->names[i]);
                w->ready[i] = ready;
                n_ready += ready;
        }
        (void) output_flush(&w->cli->output);
        if (n_ready == w->n_names)
                net_wait_end(w, WAIT_READY);
}

/* Without an agent there is nothing to wait for; one that was there comes back. */
static void take_error(NetWait *w, sd_bus_message *reply) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);

        if (w->answered)
                return;
        (void) bus_print_error(w->cli, -sd_bus_error_get_errno(error), error,
                               "Failed to list networks");
        net_wait_end(w, WAIT_FAILED);
}

static void look_in(NetWait *w, uint64_t usec) {
        (void) sd_event_source_set_time_relative(w->timer, usec);
        (void) sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        _cleanup_network_list_ NetworkList list = { 0 };
        NetWait *w = userdata;

        w->look = sd_bus_slot_unref(w->look);
        if (sd_bus_message_is_method_error(reply, NULL)) {
                take_error(w, reply);
        } else if (network_list_read(reply, &list) >= 0) {
                w->answered = true;
                take_answer(w, &list);
        }
        look_in(w, w->look_again ? 0 : LOOK_AGAIN_USEC);
        w->look_again = false;
        return 0;
}

/* The first question starts the agent; later ones leave one that was stopped alone. */
static int ask(NetWait *w) {
        _cleanup_bus_message_ sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(w->cli->bus, &m, CTVIRT_BUS_NAME, CTVIRT_BUS_PATH,
                                           CTVIRT_BUS_MANAGER, "ListNetworks");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, !w->answered);
        return r < 0 ? r : sd_bus_call_async(w->cli->bus, &w->look, m, on_answer, w, 0);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        NetWait *w = userdata;

        if (w->look)
                w->look_again = true;
        else if (ask(w) < 0)
                net_wait_end(w, WAIT_DISCONNECTED);
        return 0;
}

/*
 * Listening
 */

/* An event of a network, or another owner of the agent's name. */
static int on_news(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        look_in(userdata, 0);
        return 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        net_wait_end(userdata, WAIT_DISCONNECTED);
        return 0;
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        net_wait_end(userdata, WAIT_INTERRUPTED);
        return 0;
}

static int on_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
        net_wait_end(userdata, WAIT_TIMED_OUT);
        return 0;
}

static int listen_to_agent(NetWait *w) {
        sd_bus *bus = w->cli->bus;
        int r;

        r = sd_bus_match_signal(bus, &w->slots[0], CTVIRT_BUS_NAME, CTVIRT_BUS_PATH,
                                CTVIRT_BUS_MANAGER, "NetworkEvent", on_news, w);
        if (r >= 0)
                r = sd_bus_add_match(bus, &w->slots[1],
                                     "type='signal',sender='org.freedesktop.DBus',"
                                     "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                     "arg0='" CTVIRT_BUS_NAME "'",
                                     on_news, w);
        if (r >= 0)
                r = sd_bus_match_signal(bus, &w->slots[2], "org.freedesktop.DBus.Local", NULL,
                                        "org.freedesktop.DBus.Local", "Disconnected",
                                        on_disconnected, w);
        return r;
}

static int arm_signals(NetWait *w) {
        sigset_t signals;
        int r;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGINT);
        (void) sigaddset(&signals, SIGTERM);
        if (sigprocmask(SIG_BLOCK, &signals, &w->old_mask) < 0)
                return negative_errno();
        r = sd_event_add_signal(w->loop, NULL, SIGINT, on_signal, w);
        return r < 0 ? r : sd_event_add_signal(w->loop, NULL, SIGTERM, on_signal, w);
}

static int arm(NetWait *w) {
        int r;

        r = sd_event_new(&w->loop);
        if (r >= 0)
                r = arm_signals(w);
        if (r >= 0)
                r = sd_bus_attach_event(w->cli->bus, w->loop, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_event_add_time_relative(w->loop, &w->timer, CLOCK_MONOTONIC, 0, 1, on_timer,
                                               w);
        if (r >= 0 && w->timeout > 0)
                r = sd_event_add_time_relative(w->loop, NULL, CLOCK_MONOTONIC,
                                               w->timeout * UINT64_C(1000000), 1, on_timeout, w);
        return r;
}

/*
 * The verb
 */

static void print_missing(NetWait *w) {
        for (size_t i = 0; i < w->n_names; i++)
                if (!w->ready[i])
                        output_error(&w->cli->output, "network '%s' is not ready after %u s",
                                     w->names[i], w->timeout);
}

static int report(NetWait *w) {
        Output *o = &w->cli->output;

        switch (w->state) {
        case WAIT_GOES_ON:
        case WAIT_FAILED:
                return -EIO;
        case WAIT_READY:
                return 0;
        case WAIT_TIMED_OUT:
                print_missing(w);
                return -ETIMEDOUT;
        case WAIT_INTERRUPTED:
                output_error(o, "interrupted");
                return -EINTR;
        case WAIT_DISCONNECTED:
                output_error(o, "Disconnected from %s", w->cli->uri);
                return -ECONNRESET;
        }
        return -EINVAL;
}

static int run(NetWait *w) {
        int r;

        w->ready = calloc(w->n_names, sizeof(*w->ready));
        if (!w->ready)
                return -ENOMEM;
        r = listen_to_agent(w);
        if (r >= 0)
                r = arm(w);
        while (r >= 0 && w->state == WAIT_GOES_ON)
                r = sd_event_run(w->loop, UINT64_MAX);
        if (r >= 0)
                return report(w);
        output_error(&w->cli->output, "cannot wait for networks: %s", strerror(-r));
        return r;
}

int cmd_net_wait(Cli *cli, const Command *command) {
        _cleanup_(net_wait_done) NetWait w = {
                .cli = cli,
                .names = command->rest,
                .n_names = (size_t) command->n_rest,
        };
        _cleanup_error_ Error *err = NULL;
        int r;

        r = command_number(command, "timeout", TIMEOUT_MAX, &w.timeout, &err);
        return r < 0 ? cli_print_error(cli, err) : run(&w);
}

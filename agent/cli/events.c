/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "events": waits for the agent's signals and prints them as virsh prints its events.
 */

#include <signal.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "agent/cli/bus.h"
#include "agent/cli/complete.h"
#include "agent/cli/info.h"
#include "agent/cli/verbs.h"

#define TIMEOUT_MAX ((unsigned) INT32_MAX / 1000)

typedef enum EventType {
        EVENT_LIFECYCLE, /* of containers and networks */
        EVENT_READY,     /* a network became ready for containers */
} EventType;

static const char *const event_type_names[] = {
        [EVENT_LIFECYCLE] = "lifecycle",
        [EVENT_READY] = "ready",
};

typedef enum WaitEnd {
        WAIT_DONE,
        WAIT_INTERRUPTED,
        WAIT_TIMED_OUT,
        WAIT_DISCONNECTED,
} WaitEnd;

/* One run of `event`. */
typedef struct EventWait {
        Cli *cli;
        sd_event *loop;
        sd_bus_slot *slots[3];
        sigset_t old_mask;
        bool wanted[ELEMENTSOF(event_type_names)];
        BusObject container; /* name NULL: all containers, and networks */
        bool forever, timestamp;
        unsigned count;
        bool ended;
        WaitEnd end;
} EventWait;

static void event_wait_done(EventWait *w) {
        for (size_t i = 0; i < ELEMENTSOF(w->slots); i++)
                sd_bus_slot_unref(w->slots[i]);
        if (w->loop) {
                (void) sd_bus_detach_event(w->cli->bus);
                sd_event_unref(w->loop);
                (void) sigprocmask(SIG_SETMASK, &w->old_mask, NULL);
        }
        bus_object_done(&w->container);
}

static void print_timestamp(Output *o, uint64_t usec) {
        time_t seconds = (time_t) (usec / 1000000);
        char text[64];
        struct tm tm;

        if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%F %T", &tm) > 0)
                output_print(o, "%s.%03u+0000: ", text, (unsigned) (usec / 1000 % 1000));
}

/* Not sd_event_exit(): that would also close the bus, which the next command may need. */
static int event_wait_end(EventWait *w, WaitEnd end) {
        w->ended = true;
        w->end = end;
        return 0;
}

/* An event was printed: the end, unless --loop; also if nobody reads what we print any more. */
static void event_wait_count(EventWait *w) {
        w->count++;
        if (output_flush(&w->cli->output) < 0 || !w->forever)
                (void) event_wait_end(w, WAIT_DONE);
}

static int on_container_event(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        EventWait *w = userdata;
        Output *o = &w->cli->output;
        const char *name, *uuid, *event, *detail;
        uint64_t usec;

        if (sd_bus_message_read(m, "sssst", &name, &uuid, &event, &detail, &usec) < 0)
                return 0;
        if (!w->wanted[EVENT_LIFECYCLE] || (w->container.name && !streq(w->container.name, name)))
                return 0;

        if (w->timestamp)
                print_timestamp(o, usec);
        output_print(o, "event 'lifecycle' for container '%s': %s%s%s\n", name, event,
                     *detail ? " " : "", detail);
        event_wait_count(w);
        return 0;
}

static int on_network_event(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        EventWait *w = userdata;
        Output *o = &w->cli->output;
        const char *name, *uuid, *event, *detail;
        EventType type;
        uint64_t usec;

        if (sd_bus_message_read(m, "sssst", &name, &uuid, &event, &detail, &usec) < 0)
                return 0;

        type = streq(event, CTVIRT_EVENT_READY) ? EVENT_READY : EVENT_LIFECYCLE;
        if (!w->wanted[type] || w->container.name)
                return 0;

        if (w->timestamp)
                print_timestamp(o, usec);
        output_print(o, "event '%s' for network %s: %s%s%s\n", event_type_names[type], name, event,
                     *detail ? " " : "", detail);
        event_wait_count(w);
        return 0;
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        EventWait *w = userdata;

        return event_wait_end(w, WAIT_DISCONNECTED);
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        EventWait *w = userdata;

        return event_wait_end(w, WAIT_INTERRUPTED);
}

static int on_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
        EventWait *w = userdata;

        return event_wait_end(w, WAIT_TIMED_OUT);
}

static int event_wait_listen(EventWait *w) {
        sd_bus *bus = w->cli->bus;
        int r;

        r = sd_bus_match_signal(bus, &w->slots[0], CTVIRT_BUS_NAME, CTVIRT_BUS_PATH,
                                CTVIRT_BUS_MANAGER, "ContainerEvent", on_container_event, w);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(bus, &w->slots[1], CTVIRT_BUS_NAME, CTVIRT_BUS_PATH,
                                CTVIRT_BUS_MANAGER, "NetworkEvent", on_network_event, w);
        if (r < 0)
                return r;
        return sd_bus_match_signal(bus, &w->slots[2], "org.freedesktop.DBus.Local", NULL,
                                   "org.freedesktop.DBus.Local", "Disconnected", on_disconnected,
                                   w);
}

static int event_wait_arm(EventWait *w, unsigned timeout) {
        sigset_t signals;
        int r;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGINT);
        (void) sigaddset(&signals, SIGTERM);
        r = sd_event_new(&w->loop);
        if (r < 0)
                return r;
        if (sigprocmask(SIG_BLOCK, &signals, &w->old_mask) < 0)
                return negative_errno();
        r = sd_event_add_signal(w->loop, NULL, SIGINT, on_signal, w);
        if (r < 0)
                return r;
        r = sd_event_add_signal(w->loop, NULL, SIGTERM, on_signal, w);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(w->cli->bus, w->loop, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0 || timeout == 0)
                return r;
        return sd_event_add_time_relative(w->loop, NULL, CLOCK_MONOTONIC,
                                          timeout * UINT64_C(1000000), 0, on_timeout, w);
}

/* The last lines; virsh's exit code is that of grep: an error if nothing came. */
static int event_wait_report(EventWait *w) {
        Output *o = &w->cli->output;

        switch (w->end) {
        case WAIT_DONE:
                break;
        case WAIT_INTERRUPTED:
                output_print(o, "event loop interrupted\n");
                break;
        case WAIT_TIMED_OUT:
                output_print(o, "event loop timed out\n");
                break;
        case WAIT_DISCONNECTED:
                output_error(o, "Disconnected from %s", w->cli->uri);
                break;
        }
        output_print(o, "events received: %u\n", w->count);
        return w->count > 0 && w->end != WAIT_DISCONNECTED ? 0 : -ENODATA;
}

static int event_wait_print_error(EventWait *w, int r) {
        output_error(&w->cli->output, "cannot wait for events: %s", strerror(-r));
        return r;
}

/* Subscribed first, so that nothing is lost; then the question whether there is an agent at all,
 * which also starts it; the signals last, so that an agent that hangs can be interrupted. */
static int event_wait_run(EventWait *w, const Command *command, unsigned timeout) {
        _cleanup_agent_info_ AgentInfo info = { 0 };
        int r;

        r = bus_connect(w->cli);
        if (r < 0)
                return r;
        r = event_wait_listen(w);
        if (r < 0)
                return event_wait_print_error(w, r);

        r = command_flag(command, "domain") ? bus_find_container(w->cli, command, &w->container)
                                            : agent_info_get(w->cli, &info);
        if (r < 0)
                return r;

        r = event_wait_arm(w, timeout);
        while (r >= 0 && !w->ended)
                r = sd_event_run(w->loop, UINT64_MAX);
        return r < 0 ? event_wait_print_error(w, r) : event_wait_report(w);
}

static void list_event_types(Cli *cli) {
        for (size_t i = 0; i < ELEMENTSOF(event_type_names); i++)
                output_print(&cli->output, "%s\n", event_type_names[i]);
}

/* --all or --event TYPE. */
static int choose_event_types(Cli *cli, const Command *command, EventWait *w) {
        const char *name = command_string(command, "event");
        bool all = command_flag(command, "all"), found = false;

        if (!all && !name) {
                output_error(&cli->output, "one of --list, --all, or --event <type> is required");
                return -EINVAL;
        }

        for (size_t i = 0; i < ELEMENTSOF(event_type_names); i++) {
                bool named = name && streq(name, event_type_names[i]);

                found = found || named;
                w->wanted[i] = all || named;
        }
        if (name && !found) {
                output_error(&cli->output, "unknown event type %s", name);
                return -EINVAL;
        }
        return 0;
}

static int cmd_event(Cli *cli, const Command *command) {
        _cleanup_(event_wait_done) EventWait w = {
                .cli = cli,
                .forever = command_flag(command, "loop"),
                .timestamp = command_flag(command, "timestamp"),
        };
        _cleanup_error_ Error *err = NULL;
        unsigned timeout = 0;
        int r;

        if (command_flag(command, "list")) {
                list_event_types(cli);
                return 0;
        }

        r = choose_event_types(cli, command, &w);
        if (r < 0)
                return r;
        r = command_number(command, "timeout", TIMEOUT_MAX, &timeout, &err);
        if (r < 0)
                return cli_print_error(cli, err);

        return event_wait_run(&w, command, timeout);
}

static const OptionDef event_options[] = {
        { .name = "domain",
          .type = OPTION_STRING,
          .complete = complete_containers,
          .help = "filter by container name, id or uuid" },
        { .name = "event",
          .type = OPTION_STRING,
          .complete = complete_events,
          .help = "which event type to wait for" },
        { .name = "all", .help = "wait for all events instead of just one type" },
        { .name = "loop", .help = "loop until timeout or interrupt, rather than one-shot" },
        { .name = "timeout", .type = OPTION_NUMBER, .help = "timeout seconds" },
        { .name = "list", .help = "list valid event types" },
        { .name = "timestamp", .help = "show timestamp for each printed event" },
        { 0 },
};

const VerbDef event_verbs[] = {
        { .name = "event",
          .help = "Container and Network Events",
          .description = "List event types, or wait for container and network events to occur",
          .options = event_options,
          .flags = VERB_NO_CONNECT, /* until it knows what to wait for */
          .run = cmd_event },
        { 0 },
};

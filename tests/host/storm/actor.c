/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * actor: does to a test host, from the inside, what the storm is about, and writes down what it did.
 * It judges nothing; that is check.py's.
 *
 *   actor SEED BOUNCES LOG CONTAINER...   CONTAINER is NAME:BRIDGE[,BRIDGE]:OWNER:ENABLED:TOGGLES
 *                                         (OWNER ctvirt or foreign, the others 0 or 1)
 *
 * LOG has a JSON object a line; "t" is CLOCK_MONOTONIC in us. Built static: a host has no compiler.
 */
#define _GNU_SOURCE
#include "program.h"

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOOK "/etc/libvirt/hooks/network.d/50-ctvirt"

#define N_NETS 2
#define N_DAEMONS 2
#define CONTAINERS_MAX 16
#define ARGS_MAX 8

#define QUIET_LIMIT (60 * SEC)
#define FREEZE_MIN (100 * MSEC)
#define FREEZE_MAX (2 * SEC)

typedef enum NetState { NET_DOWN, NET_UP, NET_UNKNOWN } NetState;

typedef struct Net {
        const char *name, *bridge;
        NetState state;
        unsigned failures; /* in a row */
} Net;

typedef struct Daemon {
        const char *comm, *unit;
        pid_t frozen;
        uint64_t thaw_usec;
} Daemon;

typedef struct Container {
        char name[32], unit[80], bridges[64], owner[16];
        bool enabled, toggles;
} Container;

/* What only one command at a time is done to. */
typedef enum Subject {
        SUBJECT_NET,
        SUBJECT_DAEMON = SUBJECT_NET + N_NETS,
        SUBJECT_SYSTEMD = SUBJECT_DAEMON + N_DAEMONS,
        SUBJECT_CONTAINER,
        N_SUBJECTS = SUBJECT_CONTAINER + CONTAINERS_MAX,
} Subject;

typedef struct Command {
        Program program;
        const char *what;
        uint64_t began;
        unsigned number;
} Command;

typedef enum Phase {
        PHASE_ALL,
        PHASE_AGENT_LIVES, /* so that its growth can be seen */
        PHASE_LIBVIRT_LIVES,
        N_PHASES,
} Phase;

static Net nets[N_NETS] = {
        { .name = "default", .bridge = "virbr0" },
        { .name = "second", .bridge = "virbr9" },
};
static Daemon daemons[N_DAEMONS] = {
        { .comm = "ctvirtd", .unit = "ctvirtd.service" },
        { .comm = "libvirtd", .unit = "libvirtd.service" },
};
static Container containers[CONTAINERS_MAX];
static unsigned n_containers;
static Command commands[N_SUBJECTS];
static unsigned n_commands, n_bounces;
static Phase phase;
static uint64_t random_state;

/* xorshift64*: below limit. */
static uint64_t random_below(uint64_t limit) {
        random_state ^= random_state >> 12;
        random_state ^= random_state << 25;
        random_state ^= random_state >> 27;
        return (random_state * UINT64_C(0x2545F4914F6CDD1D) >> 16) % limit;
}

static bool chance(unsigned percent) {
        return random_below(100) < percent;
}

static void log_signal(const char *what, const Daemon *d, pid_t pid) {
        log_begin(what);
        put_string("of", d->comm);
        fprintf(log_file, ", \"pid\": %d", (int) pid);
        log_end();
}

/*
 * Commands
 */

/* On and on; what is its kind in the log. */
static void order(unsigned subject, const char *what, const char *of, const char *first, ...) {
        Command *c = &commands[subject];
        const char *argv[ARGS_MAX + 1] = { first };
        va_list ap;

        va_start(ap, first);
        for (unsigned i = 1; i < ARGS_MAX && (argv[i] = va_arg(ap, const char *)); i++)
                ;
        va_end(ap);

        *c = (Command){ .what = what, .began = now_usec(), .number = ++n_commands };
        log_begin("begin");
        fprintf(log_file, ", \"n\": %u", c->number);
        put_string("what", what);
        put_string("of", of);
        put_string("by", first);
        log_end();
        if (!launch(&c->program, (char *const *) argv))
                c->program.pid = 0;
}

static bool is_busy(unsigned subject) {
        return commands[subject].program.pid != 0;
}

/*
 * Networks
 */

static void net_ended(Net *net, const char *what, bool good) {
        if (strcmp(what, "repair") == 0) {
                net->state = NET_DOWN;
                return;
        }
        if (strcmp(what, "net-start") == 0) {
                net->state = good || strstr(text, "already active") ? NET_UP : NET_UNKNOWN;
                net->failures = net->state == NET_UP ? 0 : net->failures + 1;
                n_bounces += good;
                return;
        }
        net->state = good || strstr(text, "not active") ? NET_DOWN : NET_UNKNOWN;
}

/* What a person does with a network that a killed libvirtd has left half started: it refuses to
 * start it, since the bridge or dnsmasq of the last time is still there. */
static void repair(unsigned i) {
        static const char script[] =
                "virsh -q net-destroy \"$1\"; ip link del \"$2\";"
                "pid=$(cat /run/libvirt/network/\"$1\".pid) && kill -9 \"$pid\";"
                "rm -f /run/libvirt/network/\"$1\".pid; exit 0";

        nets[i].failures = 0;
        order(SUBJECT_NET + i, "repair", nets[i].name, "sh", "-c", script, "repair", nets[i].name,
              nets[i].bridge, NULL);
}

static void act_net(unsigned i) {
        Net *net = &nets[i];

        if (is_busy(SUBJECT_NET + i))
                return;
        if (net->failures >= 2)
                repair(i);
        else if (net->state == NET_UP)
                order(SUBJECT_NET + i, "net-destroy", net->name, "virsh", "-q", "net-destroy",
                      net->name, NULL);
        else
                order(SUBJECT_NET + i, "net-start", net->name, "virsh", "-q", "net-start",
                      net->name, NULL);
}

/*
 * Daemons
 */

static bool has_comm(const char *pid, const char *comm) {
        char path[64], found[32] = { 0 };
        FILE *f;

        (void) snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
        f = fopen(path, "re");
        if (!f)
                return false;
        if (!fgets(found, sizeof(found), f))
                found[0] = '\0';
        (void) fclose(f);
        found[strcspn(found, "\n")] = '\0';
        return strcmp(found, comm) == 0;
}

static pid_t find_pid(const char *comm) {
        struct dirent *entry;
        pid_t pid = 0;
        DIR *dir = opendir("/proc");

        while (dir && pid == 0 && (entry = readdir(dir)))
                if (*entry->d_name >= '1' && *entry->d_name <= '9' && has_comm(entry->d_name, comm))
                        pid = (pid_t) atoi(entry->d_name);
        if (dir)
                (void) closedir(dir);
        return pid;
}

static void thaw(Daemon *d) {
        if (d->frozen == 0)
                return;
        (void) kill(d->frozen, SIGCONT);
        log_signal("thaw", d, d->frozen);
        d->frozen = 0;
}

static void act_kill(Daemon *d) {
        pid_t pid = find_pid(d->comm);

        if (pid == 0)
                return;
        d->frozen = 0;
        log_signal("kill", d, pid);
        (void) kill(pid, SIGKILL);
}

static void act_freeze(Daemon *d) {
        pid_t pid = find_pid(d->comm);

        if (pid == 0 || d->frozen != 0)
                return;
        d->frozen = pid;
        d->thaw_usec = now_usec() + FREEZE_MIN + random_below(FREEZE_MAX - FREEZE_MIN);
        log_signal("freeze", d, pid);
        (void) kill(pid, SIGSTOP);
}

static void act_restart(unsigned i) {
        if (!is_busy(SUBJECT_DAEMON + i))
                order(SUBJECT_DAEMON + i, "restart", daemons[i].comm, "systemctl", "restart",
                      daemons[i].unit, NULL);
}

static bool is_spared(unsigned i) {
        return (phase == PHASE_AGENT_LIVES && i == 0) || (phase == PHASE_LIBVIRT_LIVES && i == 1);
}

static void act_daemon(void) {
        unsigned i = (unsigned) random_below(N_DAEMONS);
        unsigned what = (unsigned) random_below(10);

        if (what < 4 || is_spared(i))
                act_freeze(&daemons[i]);
        else if (what < 7)
                act_kill(&daemons[i]);
        else
                act_restart(i);
}

/*
 * Containers
 */

static void act_toggle(unsigned subject, Container *c) {
        bool enable = !c->enabled;

        if (!c->toggles)
                return;
        c->enabled = enable;
        /* The agent knows no foreign container that is neither enabled nor running. */
        if (strcmp(c->owner, "foreign") == 0 || chance(50))
                order(subject, enable ? "enable" : "disable", c->name, "systemctl", "-q",
                      enable ? "enable" : "disable", c->unit, NULL);
        else if (enable)
                order(subject, "enable", c->name, "ctvirt", "-q", "autostart", c->name, NULL);
        else
                order(subject, "disable", c->name, "ctvirt", "-q", "autostart", "--disable",
                      c->name, NULL);
}

/* One that is never enabled is never started, so that any start of it is wrong. */
static void act_container(void) {
        unsigned i = (unsigned) random_below(n_containers);
        Container *c = &containers[i];
        unsigned subject = SUBJECT_CONTAINER + i, what = (unsigned) random_below(100);

        if (is_busy(subject))
                return;
        if (what < 50)
                order(subject, "stop", c->name, "systemctl", "stop", c->unit, NULL);
        else if (what < 62)
                order(subject, "stop", c->name, "ctvirt", "-q", "destroy", c->name, NULL);
        else if (what < 68)
                order(subject, "crash", c->name, "systemctl", "kill", "--kill-whom=main", "-s",
                      "KILL", c->unit, NULL);
        else if (what < 86)
                act_toggle(subject, c);
        else if (c->enabled && what < 93)
                order(subject, "start", c->name, "systemctl", "start", c->unit, NULL);
        else if (c->enabled)
                order(subject, "start", c->name, "ctvirt", "-q", "start", c->name, NULL);
}

/*
 * The storm
 */

static void ended(unsigned subject, int status) {
        Command *c = &commands[subject];
        bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;

        take_output(&c->program);
        log_begin("end");
        fprintf(log_file, ", \"n\": %u, \"good\": %s", c->number, good ? "true" : "false");
        if (!good)
                put_string("text", text);
        log_end();
        c->program.pid = 0;
        if (subject >= SUBJECT_DAEMON)
                return;
        net_ended(&nets[subject - SUBJECT_NET], c->what, good);
        /* Back to back, also while containers are still starting or links still moving. */
        if (chance(nets[subject - SUBJECT_NET].state == NET_DOWN ? 40 : 12))
                act_net(subject - SUBJECT_NET);
}

static void look_after(void) {
        for (unsigned i = 0; i < N_SUBJECTS; i++) {
                int status;

                if (!is_busy(i))
                        continue;
                if (waitpid(commands[i].program.pid, &status, WNOHANG) > 0)
                        ended(i, status);
                else if (now_usec() > commands[i].began + COMMAND_LIMIT)
                        (void) kill(commands[i].program.pid, SIGKILL);
        }
        for (unsigned i = 0; i < N_DAEMONS; i++)
                if (daemons[i].frozen != 0 && now_usec() >= daemons[i].thaw_usec)
                        thaw(&daemons[i]);
}

static bool anything_busy(void) {
        for (unsigned i = 0; i < N_SUBJECTS; i++)
                if (is_busy(i))
                        return true;
        return daemons[0].frozen != 0 || daemons[1].frozen != 0;
}

static void act(void) {
        unsigned what = (unsigned) random_below(100);

        if (what < 60)
                act_net((unsigned) random_below(N_NETS));
        else if (what < 72)
                act_daemon();
        else if (what < 97)
                act_container();
        else if (!is_busy(SUBJECT_SYSTEMD))
                order(SUBJECT_SYSTEMD, "daemon-reload", "systemd", "systemctl", "daemon-reload",
                      NULL);
}

/* How long until the next action: mostly one after the other, at times a while. */
static uint64_t random_gap(void) {
        if (chance(30))
                return 0;
        return random_below(chance(60) ? 60 * MSEC : chance(85) ? 300 * MSEC : 1200 * MSEC);
}

/* Between bursts, when nothing is under way: libvirt looks whether a hook can be run, and runs it,
 * in two steps. Without the hook all is up to the agent. */
static void toggle_hook(void) {
        static bool muted;

        if (!chance(muted ? 40 : 8))
                return;
        muted = !muted;
        if (chmod(HOOK, muted ? 0644 : 0755) < 0)
                perror(HOOK);
        log_begin(muted ? "hook off" : "hook on");
        log_end();
}

/* So that the next edges have something to start. */
static void stop_all(void) {
        for (unsigned i = 0; i < n_containers; i++)
                if (!is_busy(SUBJECT_CONTAINER + i))
                        order(SUBJECT_CONTAINER + i, "stop", containers[i].name, "systemctl",
                              "stop", containers[i].unit, NULL);
}

static void burst(void) {
        unsigned n = 3 + (unsigned) random_below(25);

        toggle_hook();
        if (chance(25))
                stop_all();
        while (n-- > 0) {
                uint64_t next = now_usec() + random_gap();

                act();
                do {
                        look_after();
                        nap(1 * MSEC);
                } while (now_usec() < next);
                while (chance(10) && anything_busy()) {
                        look_after();
                        nap(1 * MSEC);
                }
        }
}

/*
 * Quiet points
 */

static bool says_nothing(char *const argv[]) {
        return run(argv) && text[0] == '\0';
}

static bool is_quiet(void) {
        char *const jobs[] = { "systemctl", "list-jobs", "--no-legend", NULL };
        char *const libvirt[] = { "virsh", "-q", "net-list", NULL };
        char *const agent[] = { "ctvirt", "-q", "list", NULL };

        return says_nothing(jobs) && run(libvirt) && run(agent) && says_nothing(jobs);
}

/* The state of all, as text; the same while nothing happens. Into text. */
static bool take_state(void) {
        static char script[] =
                "systemctl show -p Id,ActiveState,SubState,UnitFileState,Result,InvocationID"
                " 'systemd-nspawn@*.service'; echo '%% networks'; virsh -q net-list --name;"
                "echo '%% marked'; ls /run/ctvirt/bridges; echo '%% handled';"
                "grep -H . /run/ctvirt/handled/*; echo '%% links'; ip -o link; exit 0";
        char *const argv[] = { "sh", "-c", script, NULL };

        return run(argv);
}

static void log_agent(void) {
        static char script[] =
                "p=$(systemctl show -P MainPID ctvirtd.service); echo \"$p\";"
                "ls /proc/$p/fd | wc -l; awk '/RssAnon/ { print $2 }' /proc/$p/status";
        char *const argv[] = { "sh", "-c", script, NULL };

        if (!run(argv))
                return;
        log_begin("agent");
        put_string("text", text);
        log_end();
}

static void quiet_point(void) {
        static char before[TEXT_MAX];
        uint64_t end = now_usec() + QUIET_LIMIT;
        bool quiet = false;

        while (anything_busy()) {
                look_after();
                nap(1 * MSEC);
        }
        before[0] = '\0';
        while (!quiet && now_usec() < end) {
                bool good = is_quiet() && take_state() && !strstr(text, "State=activating") &&
                            !strstr(text, "State=deactivating");

                quiet = good && strcmp(before, text) == 0;
                memcpy(before, good ? text : "", good ? sizeof(before) : 1);
                if (!quiet)
                        nap(300 * MSEC);
        }
        log_begin(quiet ? "quiet" : "unquiet");
        put_string("text", quiet ? before : text);
        log_end();
        log_agent();
        log_clocks();
}

/*
 * Arguments
 */

static bool read_container(const char *arg) {
        Container *c = &containers[n_containers];
        int enabled, toggles;

        if (n_containers >= CONTAINERS_MAX || sscanf(arg, "%31[^:]:%63[^:]:%15[^:]:%d:%d", c->name,
                                                     c->bridges, c->owner, &enabled, &toggles) != 5)
                return false;
        (void) snprintf(c->unit, sizeof(c->unit), "systemd-nspawn@%.*s.service",
                        (int) strcspn(arg, ":"), arg);
        c->enabled = enabled != 0;
        c->toggles = toggles != 0;
        n_containers++;

        log_begin("container");
        put_string("name", c->name);
        put_string("bridges", c->bridges);
        fprintf(log_file, ", \"enabled\": %s", c->enabled ? "true" : "false");
        log_end();
        return true;
}

static void storm(unsigned wanted) {
        unsigned per_phase = wanted / 6 > 10 ? wanted / 6 : 10;

        quiet_point();
        while (n_bounces < wanted) {
                Phase next = (n_bounces / per_phase) % N_PHASES;

                if (next != phase)
                        fprintf(stderr, "%u bounces\n", n_bounces);
                phase = next;
                burst();
                quiet_point();
        }
}

int main(int argc, char *argv[]) {
        if (argc < 5) {
                fprintf(stderr, "usage: actor SEED BOUNCES LOG CONTAINER...\n");
                return 2;
        }

        random_state = strtoull(argv[1], NULL, 0) * 2 + 1;
        log_file = fopen(argv[3], "we");
        if (!log_file) {
                perror(argv[3]);
                return 1;
        }
        log_clocks();
        for (int i = 4; i < argc; i++)
                if (!read_container(argv[i])) {
                        fprintf(stderr, "actor: no container: %s\n", argv[i]);
                        return 2;
                }
        storm((unsigned) strtoul(argv[2], NULL, 0));
        log_begin("bounces");
        fprintf(log_file, ", \"n\": %u", n_bounces);
        log_end();
        return ferror(log_file) ? 1 : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * probe [-j JOBS] [-w] COMMAND [ARGUMENT...]
 *
 * Runs COMMAND, and tells what PID 1 makes of it. Prints, in microseconds of CLOCK_MONOTONIC:
 *
 *   BEGIN END STATUS QUEUED IDLE
 *
 * END and STATUS are the command's. QUEUED (with -j) is when PID 1 had taken JOBS more jobs in than
 * at BEGIN; IDLE (with -w) when it had no job left after that. 0: not asked for, or not within ten
 * minutes. PID 1 is asked over its private socket, every 2 ms for QUEUED and every 20 ms for IDLE.
 */

#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_USEC (UINT64_C(600) * 1000000)

typedef struct Run {
        sd_bus *bus;
        unsigned jobs;
        int wait_idle;
        unsigned first;
        int pid, pidfd, status;
        pthread_t waiter;
        uint64_t exited; /* the waiter's, until it is joined */
        uint64_t begin, end, queued, idle;
} Run;

extern char **environ;

static uint64_t now_usec(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static int connect_pid1(Run *r) {
        return sd_bus_new(&r->bus) < 0 ||
                               sd_bus_set_address(r->bus, "unix:path=/run/systemd/private") < 0 ||
                               sd_bus_start(r->bus) < 0 ||
                               sd_bus_set_method_call_timeout(r->bus, LIMIT_USEC) < 0
                       ? -1
                       : 0;
}

static unsigned ask(Run *r, const char *property) {
        unsigned value = 0;

        if (sd_bus_get_property_trivial(
                    r->bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                    "org.freedesktop.systemd1.Manager", property, NULL, 'u', &value) < 0) {
                fprintf(stderr, "probe: PID 1 does not answer\n");
                exit(1);
        }
        return value;
}

/* A thread of its own: PID 1, while it takes jobs in, answers late. */
static void *wait_for_command(void *userdata) {
        Run *r = userdata;

        (void) waitpid(r->pid, &r->status, 0);
        r->exited = now_usec();
        return NULL;
}

static int spawn(Run *r, char **argv) {
        posix_spawn_file_actions_t actions;

        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0);
        r->begin = now_usec();
        if (posix_spawnp(&r->pid, argv[0], &actions, NULL, argv, environ) != 0)
                return -1;
        r->pidfd = (int) syscall(SYS_pidfd_open, r->pid, 0);
        if (r->pidfd < 0)
                return -1;
        return pthread_create(&r->waiter, NULL, wait_for_command, r) == 0 ? 0 : -1;
}

static int wants_queued(const Run *r) {
        return r->jobs > 0 && r->queued == 0;
}

/* One turn: sleeps until the command ends, or until it is time to ask again. */
static void turn(Run *r) {
        int pause = wants_queued(r) ? 2 : r->wait_idle ? 20 : -1;

        if (r->end == 0) {
                struct pollfd p = { .fd = r->pidfd, .events = POLLIN };

                if (poll(&p, 1, pause) > 0) {
                        (void) pthread_join(r->waiter, NULL);
                        r->end = r->exited;
                }
        } else
                (void) poll(NULL, 0, pause);

        if (wants_queued(r) && ask(r, "NInstalledJobs") - r->first >= r->jobs)
                r->queued = now_usec();
        if (r->wait_idle && r->end != 0 && !wants_queued(r) && ask(r, "NJobs") == 0)
                r->idle = now_usec();
}

static int is_done(const Run *r) {
        return r->end != 0 && !wants_queued(r) && (!r->wait_idle || r->idle != 0);
}

int main(int argc, char *argv[]) {
        Run r = { 0 };
        int option;

        while ((option = getopt(argc, argv, "+j:w")) >= 0)
                if (option == 'j')
                        r.jobs = (unsigned) strtoul(optarg, NULL, 10);
                else if (option == 'w')
                        r.wait_idle = 1;
                else
                        return 2;
        if (optind == argc)
                return 2;

        if (r.jobs > 0 || r.wait_idle) {
                if (connect_pid1(&r) < 0)
                        return 1;
                r.first = ask(&r, "NInstalledJobs");
        }
        if (spawn(&r, argv + optind) < 0)
                return 1;
        while (!is_done(&r) && (r.end == 0 || now_usec() - r.begin < LIMIT_USEC))
                turn(&r);

        printf("%llu %llu %d %llu %llu\n", (unsigned long long) r.begin, (unsigned long long) r.end,
               r.status, (unsigned long long) r.queued, (unsigned long long) r.idle);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ctvirt-network-hook: the witness that libvirt calls itself. libvirt holds the network's lock
 * while it waits for us, without a time limit, and takes the network down if we fail. So: exit 0
 * whatever happens, a hard deadline, no call of libvirt, no waiting for the agent.
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

#include "hooks/hook_input.h"
#include "hooks/journal.h"
#include "units/edge.h"
#include "units/pid1.h"
#include "units/run_dir.h"

#define MSEC 1000
/* The agent sees the marker and does what we leave undone. */
#define PATIENCE_WITH_AGENT_USEC (UINT64_C(250) * MSEC)
#define PATIENCE_ALONE_USEC (UINT64_C(5000) * MSEC)
/* For everything that has no deadline of its own: a file system, journald. */
#define PATIENCE_MARGIN_USEC (UINT64_C(250) * MSEC)

typedef struct Run {
        int run_fd;
        uint64_t deadline_usec;
        HookInput input;
        Pid1 *pid1;
} Run;

static uint64_t now_usec(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static void on_alarm(int signal) {
        _exit(0);
}

/* The last resort, whatever we hang in by then. */
static void arm_alarm(uint64_t usec) {
        const struct itimerval timer = {
                .it_value = { .tv_sec = (time_t) (usec / 1000000),
                              .tv_usec = (suseconds_t) (usec % 1000000) },
        };

        (void) setitimer(ITIMER_REAL, &timer, NULL);
}

static void set_up_signals(void) {
        const struct sigaction ignore = { .sa_handler = SIG_IGN };
        const struct sigaction alarm = { .sa_handler = on_alarm };
        sigset_t set;

        (void) sigaction(SIGPIPE, &ignore, NULL);
        (void) sigaction(SIGALRM, &alarm, NULL);
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGALRM);
        (void) sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* 0, 1 and 2 are taken by something, so that no file of ours gets such a number; the rest is
 * closed. */
static void set_up_fds(void) {
        int fd;

        do
                fd = open("/dev/null", O_RDWR);
        while (fd >= 0 && fd <= STDERR_FILENO);
        (void) close_range(STDERR_FILENO + 1, ~0U, 0);
}

/* The agent holds this lock while it lives, frozen or not. Looking at it takes nothing. */
static bool agent_is_alive(void) {
        _cleanup_close_ int fd = open(CTVIRT_AGENT_PID_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) >= 0 && lock.l_type != F_UNLCK;
}

static uint64_t time_left(const Run *run) {
        uint64_t now = now_usec();

        return now < run->deadline_usec ? run->deadline_usec - now : 0;
}

static const EdgeRoad *road_to_pid1(Run *run, EdgeRoad *road) {
        if (!run->pid1)
                return NULL;
        *road = pid1_road(run->pid1);
        return road;
}

static int on_started(Run *run, EdgeOutcome *ret) {
        const HookInput *input = &run->input;
        const EdgeRequest request = {
                .bridge = input->bridge,
                .network = input->network,
                .uuid = input->has_uuid ? &input->uuid : NULL,
                .witness = WITNESS_HOOK,
        };
        EdgeRoad road;

        return bridge_edge(run->run_fd, &request, road_to_pid1(run, &road), time_left(run), ret);
}

static void tell_started(const HookInput *input, int r, EdgeOutcome outcome) {
        const JournalFacts facts = { .network = input->network, .bridge = input->bridge };

        if (r < 0) {
                journal_line(LOG_WARNING, &facts,
                             "Bridge %s of network '%s' is ready, but its containers could not be "
                             "started: %s",
                             input->bridge, input->network, strerror(-r));
                return;
        }
        switch (outcome) {
        case EDGE_NOT_READY:
                journal_line(LOG_INFO, &facts,
                             "Network '%s' has started, but its bridge %s is not up",
                             input->network, input->bridge);
                break;
        case EDGE_HANDLED:
                journal_line(LOG_DEBUG, &facts, "Bridge %s of network '%s' is known to be ready",
                             input->bridge, input->network);
                break;
        case EDGE_MADE:
                journal_line(
                        LOG_INFO, &facts,
                        "Bridge %s of network '%s' is ready: queued the start of its containers",
                        input->bridge, input->network);
                break;
        }
}

static int on_stopped(Run *run) {
        EdgeRoad road;

        return bridge_gone(run->run_fd, run->input.bridge, run->input.network,
                           road_to_pid1(run, &road), time_left(run));
}

static void tell_stopped(const HookInput *input, int r) {
        const JournalFacts facts = { .network = input->network, .bridge = input->bridge };

        if (r < 0)
                journal_line(
                        LOG_WARNING, &facts,
                        "Network '%s' has stopped, but that could not be told for bridge %s: %s",
                        input->network, input->bridge, strerror(-r));
        else
                journal_line(LOG_INFO, &facts, "Network '%s' has stopped: bridge %s is gone",
                             input->network, input->bridge);
}

/* journald is asked last: by then everything is done, and it may be the one that hangs. */
static void act(Run *run) {
        EdgeOutcome outcome = EDGE_NOT_READY;
        int r;

        switch (run->input.op) {
        case HOOK_OP_STARTED:
                r = on_started(run, &outcome);
                arm_alarm(PATIENCE_MARGIN_USEC);
                tell_started(&run->input, r, outcome);
                break;
        case HOOK_OP_STOPPED:
                r = on_stopped(run);
                arm_alarm(PATIENCE_MARGIN_USEC);
                tell_stopped(&run->input, r);
                break;
        }
}

static int read_input(Run *run, int argc, char *argv[]) {
        _cleanup_error_ Error *complaint = NULL;
        const JournalFacts facts = { .network = argc > 1 ? argv[1] : NULL };
        int r;

        r = hook_input_read(argc, argv, STDIN_FILENO, "", &run->input, &complaint);
        if (r < 0 && r != -EINVAL)
                journal_line(LOG_WARNING, &facts, "Cannot find out the bridge of network '%s': %s",
                             argv[1], complaint ? complaint->text : strerror(-r));
        return r;
}

int main(int argc, char *argv[]) {
        uint64_t patience;
        Run run = { 0 };

        set_up_signals();
        arm_alarm(PATIENCE_ALONE_USEC + PATIENCE_MARGIN_USEC);
        set_up_fds();
        (void) umask(0022);

        patience = agent_is_alive() ? PATIENCE_WITH_AGENT_USEC : PATIENCE_ALONE_USEC;
        run.deadline_usec = now_usec() + patience;
        arm_alarm(patience + PATIENCE_MARGIN_USEC);

        /* PID 1 lets us in while we read. Without it the marker is written too. */
        (void) pid1_connect(run.deadline_usec, &run.pid1);

        if (read_input(&run, argc, argv) < 0 || !run.input.bridge)
                _exit(0);

        run.run_fd = run_dir_open();
        if (run.run_fd < 0) {
                journal_line(LOG_ERR, NULL, "Cannot open " CTVIRT_RUN_DIR ": %s",
                             strerror(-run.run_fd));
                _exit(0);
        }

        act(&run);

        /* Not return: nothing that the libraries' destructors do is worth libvirt's time. */
        _exit(0);
}

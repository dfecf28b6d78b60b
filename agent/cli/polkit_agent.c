/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/polkit_agent.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#define REGISTER_TIMEOUT_MSEC 5000

/* The child closes notify_fd when it is registered. */
static int polkit_agent_spawn(int notify_fd, pid_t *ret) {
        char process[32], notify[32];
        char *const argv[] = { (char *) "pkttyagent",
                               (char *) "--process",
                               process,
                               (char *) "--notify-fd",
                               notify,
                               (char *) "--fallback",
                               NULL };
        posix_spawnattr_t attributes;
        sigset_t defaults;
        int r;

        (void) snprintf(process, sizeof(process), "%d", (int) getpid());
        (void) snprintf(notify, sizeof(notify), "%d", notify_fd);

        r = posix_spawnattr_init(&attributes);
        if (r != 0)
                return -r;

        (void) sigemptyset(&defaults);
        (void) sigaddset(&defaults, SIGPIPE);
        (void) posix_spawnattr_setsigdefault(&attributes, &defaults);
        (void) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        r = posix_spawnp(ret, argv[0], NULL, &attributes, argv, environ);
        (void) posix_spawnattr_destroy(&attributes);
        return -r;
}

static void polkit_agent_wait(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        while (poll(&p, 1, REGISTER_TIMEOUT_MSEC) < 0 && errno == EINTR)
                ;
}

void polkit_agent_start(PolkitAgent *a) {
        _cleanup_close_ int read_end = -1;
        int fds[2];
        pid_t pid = 0;
        int r;

        if (a->tried || geteuid() == 0 || !isatty(STDIN_FILENO))
                return;

        a->tried = true;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return;

        read_end = fds[0];
        r = fcntl(fds[1], F_SETFD, 0) < 0 ? negative_errno() : polkit_agent_spawn(fds[1], &pid);
        (void) close(fds[1]);
        if (r < 0)
                return;

        a->pid = pid;
        polkit_agent_wait(read_end);
}

void polkit_agent_stop(PolkitAgent *a) {
        if (a->pid <= 0)
                return;

        (void) kill(a->pid, SIGTERM);
        (void) kill(a->pid, SIGCONT);
        while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        a->pid = 0;
}

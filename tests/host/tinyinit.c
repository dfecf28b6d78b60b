/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tinyinit: the PID 1 of the tiny test containers.
 *
 * Starts /etc/rc, tells the container manager that it is up (READY=1 to $NOTIFY_SOCKET), reaps
 * children, and ends as systemd does on the signals that systemd-nspawn and machinectl send:
 *   SIGRTMIN+3 (halt), SIGRTMIN+4 (power off), SIGTERM   -> power off
 *   SIGRTMIN+5 (reboot), SIGINT                          -> reboot
 * Built static, so that the container needs no C library.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long children get between SIGTERM and SIGKILL. */
#define GRACE_MS 200

static void notify(const char *message) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        size_t length;
        int fd;

        if (!path || (path[0] != '/' && path[0] != '@'))
                return;
        length = strlen(path);
        if (length >= sizeof(sa.sun_path))
                return;
        memcpy(sa.sun_path, path, length);
        if (path[0] == '@') /* abstract socket */
                sa.sun_path[0] = 0;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return;
        if (sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *) &sa,
                   (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length)) < 0)
                perror("tinyinit: cannot notify the container manager");
        close(fd);
}

static void start_rc(void) {
        sigset_t none;
        pid_t pid = fork();

        if (pid < 0) {
                perror("tinyinit: cannot fork");
                return;
        }
        if (pid > 0)
                return;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        setsid();
        unsetenv("NOTIFY_SOCKET");
        execl("/bin/sh", "sh", "/etc/rc", (char *) NULL);
        perror("tinyinit: cannot run /etc/rc");
        _exit(127);
}

/* Sends SIGTERM, then SIGKILL to all, and does not wait longer than needed. */
static void end_children(const sigset_t *signals) {
        const struct timespec slice = { .tv_nsec = 10 * 1000 * 1000 };

        kill(-1, SIGTERM);
        for (int waited = 0; waited < GRACE_MS; waited += 10) {
                pid_t pid;

                while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
                        ;
                if (pid < 0 && errno == ECHILD)
                        return;
                (void) sigtimedwait(signals, NULL, &slice);
        }
        kill(-1, SIGKILL);
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
}

int main(void) {
        sigset_t all, child;

        if (getpid() != 1) {
                fprintf(stderr,
                        "tinyinit: this is the init of a test container and runs only as PID 1\n");
                return 1;
        }

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);

        start_rc();
        notify("READY=1\nSTATUS=tinyinit is up\n");

        for (;;) {
                int sig = sigwaitinfo(&all, NULL);
                int how;

                if (sig == SIGCHLD) {
                        while (waitpid(-1, NULL, WNOHANG) > 0)
                                ;
                        continue;
                }
                if (sig == SIGRTMIN + 3 || sig == SIGRTMIN + 4 || sig == SIGTERM)
                        how = RB_POWER_OFF;
                else if (sig == SIGRTMIN + 5 || sig == SIGINT)
                        how = RB_AUTOBOOT;
                else
                        continue;

                notify("STOPPING=1\n");
                end_children(&child);
                sync();
                reboot(how);
                return 1; /* only when the container may not reboot(2) */
        }
}

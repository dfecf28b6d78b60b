/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/host_facts.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/fileio.h"

#define OUTPUT_MAX 16384

/* Not ours: with $NOTIFY_SOCKET it would tell systemd things in our name. */
static char *const environment[] = {
        (char[]){ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
        (char[]){ "LC_ALL=C.UTF-8" },
        NULL,
};

static int spawn(char *const *argv, int output_fd, pid_t *ret) {
        posix_spawn_file_actions_t actions;
        int r;

        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;

        r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY,
                                                     0);
        if (r == 0)
                r = posix_spawnp(ret, argv[0], &actions, NULL, argv, environment);
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

/* Waits for the program to end. */
static int read_output(char *const *argv, char **ret) {
        _cleanup_close_ int reading = -1, writing = -1;
        int fds[2], r;
        pid_t pid = -1;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return negative_errno();
        reading = fds[0];
        writing = fds[1];

        r = spawn(argv, writing, &pid);
        if (r < 0)
                return r;
        assert(pid > 0);
        (void) close(TAKE_FD(writing));

        r = read_stream(reading, OUTPUT_MAX, ret, NULL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return r;
}

/* PID 1 would tell its own version over the bus, but there may be no bus yet, and after an upgrade
 * it is another one than that of the program on disk. */
int host_nspawn_version(unsigned *ret) {
        char *const argv[] = { (char[]){ "systemd-nspawn" }, (char[]){ "--version" }, NULL };
        _cleanup_free_ char *output = NULL;
        unsigned long version;
        const char *digits;
        int r;

        r = read_output(argv, &output);
        if (r < 0)
                return r;

        digits = startswith(output, "systemd ");
        version = digits ? strtoul(digits, NULL, 10) : 0;
        if (version == 0 || version > UINT16_MAX)
                return -EBADMSG;

        *ret = (unsigned) version;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/tool_run.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/fileio.h"

#define OUTPUT_MAX ((size_t) 64 * 1024)

static int spawn(const char *const argv[], int output_fd, pid_t *ret) {
        static char *const environment[] = { (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                             (char *) "LC_ALL=C.UTF-8", NULL };
        posix_spawn_file_actions_t actions;
        int r;

        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn(ret, argv[0], &actions, NULL, (char *const *) argv, environment);
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static void trim(char *s) {
        size_t n = strlen(s);

        while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == ' '))
                s[--n] = '\0';
}

/* Until the other end is closed. Beyond the limit it is read, so that the tool can end. */
static char *read_output(int fd) {
        char *text = NULL, rest[4096];

        (void) read_stream(fd, OUTPUT_MAX, &text, NULL);
        while (read(fd, rest, sizeof(rest)) > 0)
                ;
        if (text)
                trim(text);
        return text;
}

int pool_tool_run(const char *const argv[], const char *package, Error **err) {
        _cleanup_close_ int from = -1, to = -1;
        _cleanup_free_ char *said = NULL;
        int fds[2], status, r;
        pid_t pid = -1;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_set(err, errno, "cannot make a pipe: %s", strerror(errno));
        from = fds[0];
        to = fds[1];
        r = spawn(argv, to, &pid);
        if (r == -ENOENT)
                return error_set(err, ENOENT, "there is no %s: install the package %s", argv[0],
                                 package);
        if (r < 0)
                return error_set(err, -r, "cannot run %s: %s", argv[0], strerror(-r));

        (void) close(TAKE_FD(to));
        said = read_output(from);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return error_set(err, errno, "cannot wait for %s: %s", argv[0],
                                         strerror(errno));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        return error_set(err, EIO, "%s failed (%s %d): %s", argv[0],
                         WIFEXITED(status) ? "exit status" : "signal",
                         WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
                         isempty(said) ? "it said nothing" : said);
}

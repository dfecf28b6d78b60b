/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "units/text.h"

#define CANCEL_POLL_MS 200
#define TERM_MS 10000 /* from SIGTERM to SIGKILL: tools take down what they have mounted */
#define DRAIN_MS 1000 /* what left the group may hold the pipe for good */

typedef struct ToolRun {
        const Tool *tool;
        pid_t pid; /* and process group */
        int pid_fd;
        int output_fd;  /* what is read line by line */
        int capture_fd; /* -1 */

        ToolLines lines;
        ToolProgress progress;
        char *last[TOOL_LAST_LINES]; /* a ring */
        size_t n_last;
        char *captured;
        size_t n_captured, max;
} ToolRun;

static void tool_run_done(ToolRun *r) {
        closep(&r->pid_fd);
        closep(&r->output_fd);
        closep(&r->capture_fd);
        for (size_t i = 0; i < TOOL_LAST_LINES; i++)
                free(r->last[i]);
        free(r->captured);
}

static char *find_program(const char *name) {
        const char *p = TOOL_PATH;

        if (strchr(name, '/'))
                return access(name, X_OK) == 0 ? strdup(name) : NULL;
        while (*p) {
                size_t n = strcspn(p, ":");
                char *path = text_format("%.*s/%s", (int) n, p, name);

                if (path && access(path, X_OK) == 0)
                        return path;
                free(path);
                p += n + (p[n] == ':');
        }
        return NULL;
}

bool tool_exists(const char *name) {
        _cleanup_free_ char *path = find_program(name);

        return path;
}

static int make_environment(const Tool *t, char ***ret) {
        static const char *const passed[] = { "http_proxy", "https_proxy",  "no_proxy",
                                              "HTTP_PROXY", "HTTPS_PROXY",  "NO_PROXY",
                                              "ftp_proxy",  "SSL_CERT_FILE" };
        _cleanup_strv_ char **env = NULL;
        int r;

        r = strv_extend(&env, "PATH=" TOOL_PATH);
        if (r >= 0)
                r = strv_extend(&env, "LANG=C.UTF-8");
        if (r >= 0)
                r = strv_extend(&env, "LC_ALL=C.UTF-8");
        if (r >= 0)
                r = strv_extend(&env, "TERM=dumb");
        if (r >= 0)
                r = strv_extendf(&env, "HOME=%s", t->home ? t->home : "/root");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(passed); i++)
                if (getenv(passed[i]))
                        r = strv_extendf(&env, "%s=%s", passed[i], getenv(passed[i]));
        for (char *const *e = t->environment; r >= 0 && e && *e; e++)
                r = strv_extend(&env, *e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(env);
        return 0;
}

static int set_attributes(posix_spawnattr_t *attr) {
        sigset_t none, all;
        int r;

        (void) sigemptyset(&none);
        (void) sigfillset(&all);
        r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
                r = posix_spawnattr_setpgroup(attr, 0);
        if (r == 0)
                r = posix_spawnattr_setsigmask(attr, &none);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(attr, &all);
        return -r;
}

static int set_actions(posix_spawn_file_actions_t *actions, int out_fd, int err_fd) {
        int r;

        r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, out_fd, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, err_fd, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
        if (r == 0)
                r = posix_spawn_file_actions_addchdir_np(actions, "/");
        return -r;
}

static int spawn(ToolRun *run, const char *path, char **env, int out_fd, int err_fd) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        mode_t mask;
        int r;

        if (posix_spawn_file_actions_init(&actions) != 0)
                return -ENOMEM;
        if (posix_spawnattr_init(&attr) != 0) {
                (void) posix_spawn_file_actions_destroy(&actions);
                return -ENOMEM;
        }
        r = set_attributes(&attr);
        if (r >= 0)
                r = set_actions(&actions, out_fd, err_fd);
        if (r >= 0) {
                /* What is made in a root is for everybody, whatever ours is. */
                mask = umask(0022);
                r = -posix_spawn(&run->pid, path, &actions, &attr,
                                 (char *const *) run->tool->arguments, env);
                (void) umask(mask);
        }
        (void) posix_spawnattr_destroy(&attr);
        (void) posix_spawn_file_actions_destroy(&actions);
        return r;
}

static int start(ToolRun *run, bool capture, Error **err) {
        const Tool *t = run->tool;
        _cleanup_free_ char *path = find_program(t->arguments[0]);
        _cleanup_strv_ char **env = NULL;
        _cleanup_close_ int out_fd = -1, err_fd = -1;
        int fds[2], r;

        if (!path)
                return error_set(err, ENOENT, "%s is not installed on this host: install %s",
                                 t->arguments[0], t->install ? t->install : t->arguments[0]);
        r = make_environment(t, &env);
        if (r < 0)
                return r;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return negative_errno();
        run->output_fd = fds[0];
        err_fd = fds[1];
        if (capture) {
                if (pipe2(fds, O_CLOEXEC) < 0)
                        return negative_errno();
                run->capture_fd = fds[0];
                out_fd = fds[1];
        }
        r = spawn(run, path, env, capture ? out_fd : err_fd, err_fd);
        if (r < 0)
                return error_set(err, -r, "%s cannot be started: %s", path, strerror(-r));
        run->pid_fd = pidfd_open(run->pid, 0);
        return run->pid_fd < 0 ? negative_errno() : 0;
}

static void on_line(void *userdata, const char *line) {
        ToolRun *run = userdata;
        const JobReport *report = run->tool->report;
        char **slot = &run->last[run->n_last++ % TOOL_LAST_LINES];
        double percent = tool_progress_line(&run->progress, line);

        free(*slot);
        *slot = strdup(line);
        if (!report)
                return;
        if (percent >= 0 && report->percent)
                report->percent(report->userdata, percent);
        if (report->line)
                report->line(report->userdata, line);
}

/* 1: there may be more; 0: the end. */
static int read_output(ToolRun *run) {
        char buffer[16 * 1024];
        ssize_t n = read(run->output_fd, buffer, sizeof(buffer));

        if (n < 0)
                return errno == EINTR ? 1 : negative_errno();
        if (n > 0)
                tool_lines_add(&run->lines, buffer, (size_t) n, on_line, run);
        return n > 0;
}

static int read_capture(ToolRun *run) {
        char buffer[16 * 1024], *more;
        ssize_t n = read(run->capture_fd, buffer, sizeof(buffer));

        if (n < 0)
                return errno == EINTR ? 1 : negative_errno();
        if (n == 0)
                return 0;
        if (run->n_captured + (size_t) n > run->max)
                return -EFBIG;
        more = realloc(run->captured, run->n_captured + (size_t) n + 1);
        if (!more)
                return -ENOMEM;
        memcpy(more + run->n_captured, buffer, (size_t) n);
        run->captured = more;
        run->n_captured += (size_t) n;
        more[run->n_captured] = '\0';
        return 1;
}

static bool is_canceled(const ToolRun *run) {
        const JobReport *report = run->tool->report;

        return report && report->canceled && report->canceled(report->userdata);
}

/* Reads until all of the pipes are at their end, or it is gone and those that it left behind say
 * nothing. */
static int follow(ToolRun *run) {
        bool gone = false;

        for (;;) {
                struct pollfd fds[] = { { .fd = run->output_fd, .events = POLLIN },
                                        { .fd = run->capture_fd, .events = POLLIN },
                                        { .fd = gone ? -1 : run->pid_fd, .events = POLLIN } };
                int n, r = 1;

                if (run->output_fd < 0 && run->capture_fd < 0 && gone)
                        return 0;
                if (is_canceled(run))
                        return -ECANCELED;
                n = poll(fds, ELEMENTSOF(fds), gone ? DRAIN_MS : CANCEL_POLL_MS);
                if (n < 0 && errno != EINTR)
                        return negative_errno();
                if (n == 0 && gone)
                        return 0;
                if (n <= 0)
                        continue;
                if (fds[0].revents && (r = read_output(run)) == 0) {
                        closep(&run->output_fd);
                        run->output_fd = -1;
                }
                if (r >= 0 && fds[1].revents && (r = read_capture(run)) == 0) {
                        closep(&run->capture_fd);
                        run->capture_fd = -1;
                }
                if (r < 0)
                        return r;
                gone = gone || fds[2].revents;
        }
}

static bool wait_gone(const ToolRun *run, int ms) {
        struct pollfd fd = { .fd = run->pid_fd, .events = POLLIN };

        return run->pid_fd >= 0 && poll(&fd, 1, ms) > 0;
}

/* Ends the group if it still runs; *ret_status as by waitpid(2). */
static void reap(ToolRun *run, bool early, int *ret_status) {
        if (early && !wait_gone(run, 0)) {
                (void) kill(-run->pid, SIGTERM);
                (void) wait_gone(run, TERM_MS);
        }
        (void) kill(-run->pid, SIGKILL);
        while (waitpid(run->pid, ret_status, 0) < 0 && errno == EINTR)
                ;
}

/* The lines of the ring in their order, one below the other. */
static int last_lines(const ToolRun *run, char ***ret) {
        size_t first = run->n_last > TOOL_LAST_LINES ? run->n_last - TOOL_LAST_LINES : 0;
        _cleanup_strv_ char **lines = NULL;

        for (size_t i = first; i < run->n_last; i++) {
                const char *line = run->last[i % TOOL_LAST_LINES];
                int r = line ? strv_extend(&lines, line) : 0;

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(lines);
        return 0;
}

static int describe(const ToolRun *run, int status, Error **err) {
        _cleanup_strv_ char **lines = NULL;
        _cleanup_free_ char *text = NULL, *how = NULL;
        const char *hint;
        int code, r;

        r = last_lines(run, &lines);
        if (r < 0)
                return r;
        hint = tool_hint(lines, &code);
        text = strv_join(lines, "\n  ");
        how = WIFSIGNALED(status) ? text_format("was killed by signal %d", WTERMSIG(status))
                                  : text_format("failed with exit status %d", WEXITSTATUS(status));
        if (!text || !how)
                return -ENOMEM;
        return error_set(err, code, "%s %s%s%s%s%s", run->tool->arguments[0], how,
                         *text ? ". Its last lines:\n  " : "", text, hint ? "\n" : "",
                         hint ? hint : "");
}

static int run_tool(const Tool *t, size_t max, char **ret, Error **err) {
        _cleanup_(tool_run_done)
                ToolRun run = { t, .pid_fd = -1, .output_fd = -1, .capture_fd = -1, .max = max };
        int r, status = 0;

        run.progress.kind = t->kind;
        r = start(&run, ret, err);
        if (r < 0 && run.pid <= 0)
                return r;
        if (r >= 0)
                r = follow(&run);
        tool_lines_finish(&run.lines, on_line, &run);
        reap(&run, r < 0, &status);
        if (r == -ECANCELED)
                return error_set(err, ECANCELED, "canceled while %s was running", t->arguments[0]);
        if (r == -EFBIG)
                return error_set(err, EFBIG, "%s said more than %zu bytes", t->arguments[0], max);
        if (r < 0)
                return r;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return describe(&run, status, err);
        if (ret) {
                *ret = run.captured ? TAKE_PTR(run.captured) : strdup("");
                return *ret ? 0 : -ENOMEM;
        }
        return 0;
}

int tool_run(const Tool *t, Error **err) {
        return run_tool(t, 0, NULL, err);
}

int tool_capture(const Tool *t, size_t max, char **ret, Error **err) {
        return run_tool(t, max, ret, err);
}

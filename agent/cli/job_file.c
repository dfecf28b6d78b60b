/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/job_file.h"

#include <fcntl.h>
#include <sys/stat.h>

static int fail_to_open(Cli *cli, const char *path, int r) {
        output_error(&cli->output, "Failed to open file '%s': %s", path, strerror(-r));
        return r;
}

static int take_standard(Cli *cli, int fd, JobFile *ret) {
        *ret = (JobFile){ .cli = cli, .fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) };
        return ret->fd < 0 ? fail_to_open(cli, "-", negative_errno()) : 0;
}

int job_file_open_input(Cli *cli, const char *path, JobFile *ret) {
        *ret = (JobFile){ .cli = cli, .path = path, .fd = -1 };
        if (streq(path, "-"))
                return take_standard(cli, STDIN_FILENO, ret);
        ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        return ret->fd < 0 ? fail_to_open(cli, path, negative_errno()) : 0;
}

/* Also by another name, such as /dev/stdout. */
static bool is_standard_output(const char *path, const struct stat *st) {
        struct stat out;

        return streq(path, "-") || (st && fstat(STDOUT_FILENO, &out) >= 0 &&
                                    st->st_dev == out.st_dev && st->st_ino == out.st_ino);
}

static int refuse_terminal(Cli *cli, const char *what) {
        output_error(&cli->output, "%s is a terminal; name a file, or put a pipe behind it", what);
        return -ENOTTY;
}

static int take_standard_output(Cli *cli, JobFile *ret) {
        if (isatty(STDOUT_FILENO))
                return refuse_terminal(cli, "standard output");
        (void) fflush(cli->output.out);
        cli->output.occupied = true;
        return take_standard(cli, STDOUT_FILENO, ret);
}

/* A pipe, a disk: what has no content that could be lost, or is meant itself. */
static int open_itself(Cli *cli, const char *path, JobFile *ret) {
        ret->fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
        if (ret->fd < 0)
                return fail_to_open(cli, path, negative_errno());
        return isatty(ret->fd) ? refuse_terminal(cli, path) : 0;
}

int job_file_open_output(Cli *cli, const char *path, JobFile *ret) {
        struct stat st;
        bool there = stat(path, &st) >= 0;
        int r;

        *ret = (JobFile){ .cli = cli, .path = path, .fd = -1 };
        if (is_standard_output(path, there ? &st : NULL))
                return take_standard_output(cli, ret);
        if (there && !S_ISREG(st.st_mode))
                return open_itself(cli, path, ret);

        r = whole_file_new(&ret->whole, path);
        if (r < 0)
                return fail_to_open(cli, path, r);
        ret->fd = whole_file_fd(ret->whole);
        return 0;
}

static int commit(JobFile *f) {
        int r = 0;

        if (f->whole)
                r = whole_file_commit(f->whole);
        else if (f->path && fsync(f->fd) < 0 && errno != EINVAL && errno != EROFS)
                r = negative_errno();
        if (r < 0)
                output_error(&f->cli->output, "Failed to write file '%s': %s", f->path,
                             strerror(-r));
        return r;
}

int job_file_finish(JobFile *f, int r) {
        if (r >= 0)
                r = commit(f);
        if (f->whole) {
                f->whole = whole_file_free(f->whole);
                f->fd = -1;
        }
        return r;
}

void job_file_done(JobFile *f) {
        (void) job_file_finish(f, -EIO);
        closep(&f->fd);
}

int job_file_append(JobFile *f, sd_bus_message *m) {
        int r = sd_bus_message_append(m, "h", f->fd);

        if (r >= 0)
                return 0;
        output_error(&f->cli->output, "cannot hand the file to the agent at %s: %s", f->cli->uri,
                     r == -EOPNOTSUPP ? "no files go over this connection; run ctvirt on that host"
                                      : strerror(-r));
        return r;
}

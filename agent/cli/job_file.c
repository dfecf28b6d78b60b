/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/job_file.h"

#include <fcntl.h>

static int fail_to_open(Cli *cli, const char *path) {
        int r = negative_errno();

        output_error(&cli->output, "Failed to open file '%s': %s", path, strerror(-r));
        return r;
}

static int take_standard(Cli *cli, int fd, JobFile *ret) {
        *ret = (JobFile){ .cli = cli, .fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) };
        return ret->fd < 0 ? fail_to_open(cli, "-") : 0;
}

int job_file_open_input(Cli *cli, const char *path, JobFile *ret) {
        *ret = (JobFile){ .cli = cli, .path = path, .fd = -1 };
        if (streq(path, "-"))
                return take_standard(cli, STDIN_FILENO, ret);
        ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        return ret->fd < 0 ? fail_to_open(cli, path) : 0;
}

/* What is in it is for root alone: shadow(5) and keys. */
int job_file_open_output(Cli *cli, const char *path, JobFile *ret) {
        *ret = (JobFile){ .cli = cli, .path = path, .fd = -1 };
        if (streq(path, "-") && isatty(STDOUT_FILENO)) {
                output_error(&cli->output, "standard output is a terminal; name a file, or put a "
                                           "pipe behind it");
                return -ENOTTY;
        }
        if (streq(path, "-"))
                return take_standard(cli, STDOUT_FILENO, ret);
        ret->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
        ret->created = ret->fd >= 0;
        if (ret->fd < 0 && errno == EEXIST)
                ret->fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
        return ret->fd < 0 ? fail_to_open(cli, path) : 0;
}

int job_file_finish(JobFile *f, int r) {
        if (r < 0 && f->created)
                (void) unlink(f->path);
        if (r >= 0 && f->created && fsync(f->fd) < 0) {
                r = negative_errno();
                output_error(&f->cli->output, "Failed to write file '%s': %s", f->path,
                             strerror(-r));
        }
        f->created = false;
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

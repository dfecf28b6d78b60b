/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ctvirt-generator: a systemd generator (systemd.generator(7)). See generator.h for what it makes.
 * systemd calls it with three folders, of which it uses the first.
 */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include "units/generator.h"
#include "units/text.h"

#define JOURNAL_SOCKET "/run/systemd/journal/dev-log"

/* Nothing here waits: a line that cannot be taken now is lost. */
static bool say_to_journal(const char *line) {
        static const struct sockaddr_un address = { .sun_family = AF_UNIX,
                                                    .sun_path = JOURNAL_SOCKET };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return fd >= 0 && sendto(fd, line, strlen(line), MSG_NOSIGNAL,
                                 (const struct sockaddr *) &address, sizeof(address)) >= 0;
}

static bool say_to_kernel_log(const char *line) {
        _cleanup_close_ int fd = open("/dev/kmsg", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        return fd >= 0 && write(fd, line, strlen(line)) >= 0;
}

/* systemd gives its generators no stderr that leads anywhere; while the host boots there is no
 * journal yet, and the kernel's log keeps the lines for it. */
static void say(int priority, const char *text) {
        _cleanup_free_ char *line = NULL;

        if (isatty(STDERR_FILENO)) {
                fprintf(stderr, "%s.\n", text);
                return;
        }
        line = text_format("<%d>ctvirt-generator[%d]: %s.", LOG_DAEMON | priority, (int) getpid(),
                           text);
        if (line && !say_to_journal(line) && !say_to_kernel_log(line))
                fprintf(stderr, "%s.\n", text);
}

static void say_failure(const char *folder, int r) {
        _cleanup_free_ char *text = text_format("Cannot write to '%s': %s", folder, strerror(-r));

        if (text)
                say(LOG_ERR, text);
}

int main(int argc, char *argv[]) {
        GeneratorReport report = { 0 };
        int r;

        if (argc != 2 && argc != 4) {
                fprintf(stderr, "usage: %s FOLDER [EARLY-FOLDER LATE-FOLDER]\n", argv[0]);
                return EXIT_FAILURE;
        }

        r = generator_run("", argv[1], &report);
        for (char **s = report.complaints; s && *s; s++)
                say(LOG_WARNING, *s);
        if (r < 0)
                say_failure(argv[1], r);

        generator_report_done(&report);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sensor: a network hook that runs beside ctvirt's and writes down when libvirt called it, so that
 * what ctvirt did can be compared with what libvirt did. Built static: a host has no compiler.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG "/run/storm-hooks"

int main(int argc, char *argv[]) {
        struct timespec t = { 0 };
        char line[256];
        int fd, n;

        if (argc < 3)
                return 0;
        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        n = snprintf(line, sizeof(line),
                     "{\"t\": %ju, \"kind\": \"hook\", \"net\": \"%.32s\", \"op\": \"%.32s\"}\n",
                     (uintmax_t) t.tv_sec * 1000000 + (uintmax_t) t.tv_nsec / 1000, argv[1],
                     argv[2]);

        /* One write, so that lines of two processes do not mix. */
        fd = open(LOG, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, line, (size_t) n) != n)
                perror(LOG);
        return 0;
}

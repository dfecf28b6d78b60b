/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A network hook that runs before all others and writes down when libvirt began to call them
 * (CLOCK_MONOTONIC, microseconds). */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
        struct timespec t;
        int fd;

        if (argc < 3 || strcmp(argv[2], "started") != 0)
                return 0;
        clock_gettime(CLOCK_MONOTONIC, &t);
        fd = open("/run/bench-started", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd >= 0)
                dprintf(fd, "%lld\n", (long long) t.tv_sec * 1000000 + t.tv_nsec / 1000);
        return 0;
}

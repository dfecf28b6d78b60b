/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hooks/deadline.h"

#include <sys/time.h>
#include <time.h>

uint64_t deadline_now(void) {
        struct timespec t = { 0 };

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

void deadline_arm(uint64_t usec) {
        const struct itimerval timer = {
                .it_value = { .tv_sec = (time_t) (usec / 1000000),
                              .tv_usec = (suseconds_t) (usec % 1000000) },
        };

        (void) setitimer(ITIMER_REAL, &timer, NULL);
}

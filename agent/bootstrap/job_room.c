/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/job_room.h"

#include <sys/statvfs.h>
#include <time.h>

#define ASK_USEC (UINT64_C(100) * 1000)
#define RESERVE_MAX (UINT64_C(256) << 20)
#define RESERVE_SHARE 64

static uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

uint64_t job_room_reserve(uint64_t capacity) {
        uint64_t reserve = capacity / RESERVE_SHARE;

        return reserve < RESERVE_MAX ? reserve : RESERVE_MAX;
}

/* Root may write into what ext4 keeps for it, which is not there for us: f_bavail is without. */
static void ask(JobRoom *room) {
        uint64_t now = now_usec();
        struct statvfs st;

        if (room->is_short || now - room->asked_usec < ASK_USEC)
                return;
        room->asked_usec = now;
        if (fstatvfs(room->pool_fd, &st) < 0)
                return;
        room->left = (uint64_t) st.f_bavail * st.f_frsize;
        room->reserve = job_room_reserve((uint64_t) st.f_blocks * st.f_frsize);
        room->is_short = room->left < room->reserve;
}

static void on_stage(void *userdata, unsigned number, unsigned count, const char *what) {
        const JobRoom *room = userdata;

        if (room->outer->stage)
                room->outer->stage(room->outer->userdata, number, count, what);
}

static void on_percent(void *userdata, double percent) {
        const JobRoom *room = userdata;

        if (room->outer->percent)
                room->outer->percent(room->outer->userdata, percent);
}

static void on_line(void *userdata, const char *line) {
        const JobRoom *room = userdata;

        if (room->outer->line)
                room->outer->line(room->outer->userdata, line);
}

static bool should_end(void *userdata) {
        JobRoom *room = userdata;

        ask(room);
        return room->is_short ||
               (room->outer->canceled && room->outer->canceled(room->outer->userdata));
}

void job_room_init(JobRoom *room, const JobReport *outer, int pool_fd) {
        *room = (JobRoom){
                .report = { on_stage, on_percent, on_line, should_end, room },
                .outer = outer,
                .pool_fd = pool_fd,
        };
}

int job_room_result(const JobRoom *room, int r, Error **err) {
        if (r != -ECANCELED || !room->is_short)
                return r;
        if (err)
                *err = error_free(*err);
        return error_set(
                err, ENOSPC,
                "no space left in the pool: its filesystem has %llu MiB, and %llu MiB are "
                "kept free; delete what is not needed (ctvirt vol-list, ctvirt base-list), "
                "or make it larger",
                (unsigned long long) (room->left >> 20),
                (unsigned long long) (room->reserve >> 20));
}

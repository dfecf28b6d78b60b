#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * JobRoom: a job that fills the pool ends before the filesystem is full. What comes out of an
 * archive, an image or a package manager is as much as somebody else likes, and where the pool is on
 * the filesystem of the host, a full one is felt by all that runs there.
 *
 * It stands between a job and its JobReport: those that do the work ask anyway whether they should
 * end.
 */

#include "agent/bootstrap/job_report.h"
#include "base/error.h"

typedef struct JobRoom {
        JobReport report; /* for those that do the work */
        const JobReport *outer;
        int pool_fd;
        uint64_t asked_usec;    /* CLOCK_MONOTONIC: it is not asked more than ten times a second */
        uint64_t left, reserve; /* bytes, when it was asked last */
        bool is_short;
} JobRoom;

/* Both have to outlive it. */
void job_room_init(JobRoom *room, const JobReport *outer, int pool_fd);

/* What is kept free: a sixty-fourth of the filesystem, 256 MiB at most. */
uint64_t job_room_reserve(uint64_t capacity);

/* For the result of the job: -ENOSPC with a sentence, instead of -ECANCELED, if it was ended for
 * want of room; else r, and *err as it is. */
int job_room_result(const JobRoom *room, int r, Error **err);

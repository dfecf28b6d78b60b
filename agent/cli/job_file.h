#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The file that a job reads or writes for the client: opened here, with the rights of who runs it,
 * and handed over.
 */

#include "agent/cli/bus.h"
#include "agent/cli/whole_file.h"

typedef struct JobFile {
        Cli *cli;
        const char *path; /* NULL: standard input or output */
        int fd;           /* own, or that of `whole` */
        WholeFile *whole; /* NULL: what is written is there at once, as in a pipe or on a disk */
} JobFile;

/* "-" is standard input or output. They print what went wrong. Output that goes to a file comes to
 * its name when it is whole; while it goes to standard output nothing else does. */
int job_file_open_input(Cli *cli, const char *path, JobFile *ret);
int job_file_open_output(Cli *cli, const char *path, JobFile *ret);

/* After the job: what it wrote gets its name, or if it has failed is dropped. Returns r, or what
 * went wrong at the end. */
int job_file_finish(JobFile *f, int r);
void job_file_done(JobFile *f);
#define _cleanup_job_file_ _cleanup_(job_file_done)

/* Appends the descriptor to a call. Prints that it cannot be handed over. */
int job_file_append(JobFile *f, sd_bus_message *m);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the actor is made of: programs that it starts, and the log of what it does.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define MSEC UINT64_C(1000)
#define SEC (1000 * MSEC)

/* Longer than a stop of a container may take. */
#define COMMAND_LIMIT (60 * SEC)
#define TEXT_MAX 32768

typedef struct Program {
        pid_t pid; /* 0: none */
        int output_fd;
} Program;

extern FILE *log_file;
extern char text[TEXT_MAX]; /* the output of the last one that ended */

uint64_t now_usec(void);
void nap(uint64_t usec);

/* An entry is begun, filled, and ended. */
void log_begin(const char *kind);
void put_string(const char *key, const char *value);
void log_end(void);

/* Both clocks: the journal's exact times are in the other one. */
void log_clocks(void);

bool launch(Program *p, char *const argv[]);
/* Into text, once it has ended. */
void take_output(Program *p);
/* Launches and waits; the output is in text. */
bool run(char *const argv[]);

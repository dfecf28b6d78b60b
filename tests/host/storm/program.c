/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE
#include "program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

FILE *log_file;
char text[TEXT_MAX];

static uint64_t clock_usec(clockid_t clock) {
        struct timespec t;

        (void) clock_gettime(clock, &t);
        return (uint64_t) t.tv_sec * SEC + (uint64_t) t.tv_nsec / 1000;
}

uint64_t now_usec(void) {
        return clock_usec(CLOCK_MONOTONIC);
}

void nap(uint64_t usec) {
        (void) nanosleep(&(struct timespec){ .tv_sec = (time_t) (usec / SEC),
                                             .tv_nsec = (long) (usec % SEC * 1000) },
                         NULL);
}

void put_string(const char *key, const char *value) {
        fprintf(log_file, ", \"%s\": \"", key);
        for (; *value; value++)
                if (*value == '"' || *value == '\\')
                        fprintf(log_file, "\\%c", *value);
                else if ((unsigned char) *value < 0x20)
                        fprintf(log_file, "\\u%04x", (unsigned) *value);
                else
                        fputc(*value, log_file);
        fputc('"', log_file);
}

void log_begin(const char *kind) {
        fprintf(log_file, "{\"t\": %ju, \"kind\": \"%s\"", (uintmax_t) now_usec(), kind);
}

void log_end(void) {
        fputs("}\n", log_file);
        fflush(log_file);
}

void log_clocks(void) {
        log_begin("clocks");
        fprintf(log_file, ", \"realtime\": %ju", (uintmax_t) clock_usec(CLOCK_REALTIME));
        log_end();
}

static void exec_child(int output_fd, char *const argv[]) {
        int null = open("/dev/null", O_RDONLY);

        (void) dup2(null, STDIN_FILENO);
        (void) dup2(output_fd, STDOUT_FILENO);
        (void) dup2(output_fd, STDERR_FILENO);
        (void) setsid();
        execvp(argv[0], argv);
        perror(argv[0]);
        _exit(127);
}

bool launch(Program *p, char *const argv[]) {
        p->output_fd = memfd_create("output", MFD_CLOEXEC);
        p->pid = fork();
        if (p->pid == 0)
                exec_child(p->output_fd, argv);
        return p->pid > 0;
}

void take_output(Program *p) {
        ssize_t n = pread(p->output_fd, text, sizeof(text) - 1, 0);

        text[n < 0 ? 0 : n] = '\0';
        (void) close(p->output_fd);
}

bool run(char *const argv[]) {
        Program p = { 0 };
        uint64_t end = now_usec() + COMMAND_LIMIT;
        int status = -1;

        if (!launch(&p, argv))
                return false;
        while (waitpid(p.pid, &status, WNOHANG) == 0) {
                if (now_usec() > end)
                        (void) kill(p.pid, SIGKILL);
                nap(1 * MSEC);
        }
        take_output(&p);
        return status == 0;
}

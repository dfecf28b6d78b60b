/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * exec_time [-n RUNS] [-i STDIN] [-u FILE] NAME=COMMAND...
 *
 * The time from fork to exit of each command, run in turn so that all of them see the same noise.
 * COMMAND is parted at blanks. -i: what they get on stdin; -u: removed before each run. Prints
 * minimum, median and the median's ratio to that of the first command.
 */

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 8
#define ARGUMENTS_MAX 16

typedef struct Command {
        char *name;
        char *argv[ARGUMENTS_MAX + 1];
        double *times; /* milliseconds */
} Command;

static int n_runs = 200;
static const char *input = "/dev/null";
static const char *to_remove = NULL;

static double now(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static int run(Command *c, double *ret) {
        posix_spawn_file_actions_t actions;
        double begin;
        int status;
        pid_t pid;

        if (to_remove)
                unlink(to_remove);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);

        begin = now();
        if (posix_spawn(&pid, c->argv[0], &actions, NULL, c->argv, NULL) != 0 ||
            waitpid(pid, &status, 0) != pid || status != 0)
                return -1;
        *ret = now() - begin;
        posix_spawn_file_actions_destroy(&actions);
        return 0;
}

static int compare(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

static int parse(char *text, Command *c) {
        int n = 0;

        c->name = strsep(&text, "=");
        while (text && n < ARGUMENTS_MAX)
                c->argv[n++] = strsep(&text, " ");
        c->times = calloc((size_t) n_runs, sizeof(*c->times));
        return n > 0 && c->times ? 0 : -1;
}

static int measure(Command *commands, int n) {
        double first;

        for (int i = -3; i < n_runs; i++)
                for (int k = 0; k < n; k++)
                        if (run(&commands[k], &commands[k].times[i < 0 ? 0 : i]) < 0) {
                                fprintf(stderr, "%s failed\n", commands[k].name);
                                return -1;
                        }
        for (int k = 0; k < n; k++)
                qsort(commands[k].times, (size_t) n_runs, sizeof(double), compare);

        first = commands[0].times[n_runs / 2];
        printf("%-28s %9s %9s %9s %7s\n", "", "min ms", "median", "above", "ratio");
        for (int k = 0; k < n; k++) {
                double median = commands[k].times[n_runs / 2];

                printf("%-28s %9.3f %9.3f %9.3f %7.2f\n", commands[k].name, commands[k].times[0],
                       median, median - first, median / first);
        }
        return 0;
}

int main(int argc, char *argv[]) {
        Command commands[COMMANDS_MAX] = { 0 };
        int option, n = 0;

        while ((option = getopt(argc, argv, "n:i:u:")) >= 0)
                if (option == 'n')
                        n_runs = atoi(optarg); /* NOLINT(cert-err34-c) */
                else if (option == 'i')
                        input = optarg;
                else if (option == 'u')
                        to_remove = optarg;
                else
                        return 2;
        if (n_runs < 1)
                return 2;
        for (; optind < argc && n < COMMANDS_MAX; optind++)
                if (parse(argv[optind], &commands[n++]) < 0)
                        return 2;
        return n == 0 || measure(commands, n) < 0 ? 1 : 0;
}

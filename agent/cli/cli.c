/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/cli.h"

#include <getopt.h>
#include <signal.h>

#include "agent/cli/bus.h"
#include "agent/cli/help.h"
#include "agent/cli/hint.h"
#include "agent/cli/verbs.h"
#include "agent/cli/words.h"

/* What the global options leave to do. */
typedef enum GlobalResult {
        GLOBAL_RUN_COMMAND,
        GLOBAL_DONE,
} GlobalResult;

int cli_print_error(Cli *cli, const Error *err) {
        _cleanup_free_ char *text = err ? error_format(err) : NULL;

        output_error(&cli->output, "%s", text ? text : strerror(ENOMEM));
        return err ? -err->code : -ENOMEM;
}

static int print_version(Cli *cli, const char *type) {
        if (streq(type, "short"))
                output_print(&cli->output, "%s\n", CTVIRT_VERSION);
        else if (streq(type, "long"))
                output_print(&cli->output, "ctvirt %s, the command line tool of the ctvirt agent\n",
                             CTVIRT_VERSION);
        else {
                output_error(&cli->output, "argument of --version must be 'short' or 'long'");
                return -EINVAL;
        }
        return GLOBAL_DONE;
}

static int print_option_error(Cli *cli, int option, char **argv) {
        const char *word = argv[optind - 1];

        if (option == ':')
                output_error(&cli->output, "option '-c'/'--connect' requires an argument");
        else if (optopt != 0 && !startswith(word, "--"))
                output_error(&cli->output, "unsupported option '-%c'. See --help.", optopt);
        else
                output_error(&cli->output, "unsupported option '%s'. See --help.", word);
        return -EINVAL;
}

/* One option of getopt_long(). Returns a GlobalResult. */
static int take_global_option(Cli *cli, int option, char **argv) {
        switch (option) {
        case 'c':
                cli->uri = optarg;
                return GLOBAL_RUN_COMMAND;
        case 'h':
                help_usage(&cli->output, verb_groups);
                return GLOBAL_DONE;
        case 'q':
                cli->output.quiet = true;
                return GLOBAL_RUN_COMMAND;
        case 'v':
                return print_version(cli, optarg ? optarg : "short");
        case 'V':
                return print_version(cli, "long");
        }
        return print_option_error(cli, option, argv);
}

/* The options in front of the verb. Returns a GlobalResult; optind is the verb then. */
static int parse_global_options(Cli *cli, int argc, char **argv) {
        static const struct option options[] = {
                { "connect", required_argument, NULL, 'c' },
                { "help", no_argument, NULL, 'h' },
                { "quiet", no_argument, NULL, 'q' },
                { "version", optional_argument, NULL, 'v' },
                { 0 },
        };
        int r = GLOBAL_RUN_COMMAND, c;

        while (r == GLOBAL_RUN_COMMAND &&
               (c = getopt_long(argc, argv, "+:c:hqvV", options, NULL)) >= 0)
                r = take_global_option(cli, c, argv);
        return r;
}

static int run_command(Cli *cli, const Command *command) {
        int r = 0;

        if (command->help) {
                help_verb(&cli->output, command->verb);
        } else {
                if (!(command->verb->flags & VERB_NO_CONNECT))
                        r = bus_connect(cli);
                if (r >= 0)
                        r = command->verb->run(cli, command);
        }

        /* Nothing came, at the end of `event`: an exit code, not an error to tell about. */
        if (r < 0 && r != -ENODATA && !cli->output.failed)
                output_error(&cli->output, "%s", strerror(-r));
        if (!(command->verb->flags & VERB_HIDDEN))
                output_end(&cli->output);
        return r;
}

/* What virsh says, and behind it what may have been meant. */
static int print_parse_error(Cli *cli, const Error *err, const char *verb) {
        _cleanup_free_ char *hint = NULL;
        int r = cli_print_error(cli, err);

        if (!verb_find(verb_groups, verb) && command_hint(verb_groups, verb, &hint) >= 0 && hint)
                output_error(&cli->output, "%s", hint);
        return r;
}

/* Parses one command, and runs it unless it is to be checked only. */
static int run_words(Cli *cli, int argc, char **argv, bool only_check) {
        _cleanup_error_ Error *err = NULL;
        Command command = { 0 };
        int r = command_parse(verb_groups, argc, argv, &command, &err);

        if (r < 0)
                return print_parse_error(cli, err, argv[0]);
        return only_check ? 0 : run_command(cli, &command);
}

/* All commands of a string. A mistake in one of them: none is run. Else the last one counts. */
static int run_string(Cli *cli, const char *string, bool only_check) {
        int r = 0;

        for (const char *s = string;;) {
                _cleanup_error_ Error *err = NULL;
                _cleanup_strv_ char **words = NULL;
                int q = words_next(&s, &words, &err);

                if (q < 0)
                        return cli_print_error(cli, err);
                if (q == 0)
                        return r;

                r = run_words(cli, (int) strv_length(words), words, only_check);
                if (r < 0 && only_check)
                        return r;
        }
}

static int cli_run(Cli *cli, int argc, char **argv) {
        int r = parse_global_options(cli, argc, argv);

        if (r != GLOBAL_RUN_COMMAND)
                return r;
        if (optind >= argc || (optind + 1 == argc && isempty(argv[optind]))) {
                output_error(&cli->output, "no command given");
                output_error(&cli->output, "see 'ctvirt help' for the list of commands");
                return -EINVAL;
        }
        if (optind + 1 < argc)
                return run_words(cli, argc - optind, argv + optind, false);

        r = run_string(cli, argv[optind], true);
        return r < 0 ? r : run_string(cli, argv[optind], false);
}

int cli_main(int argc, char **argv) {
        Cli cli = { .uri = CLI_URI_SYSTEM };
        int r, flushed;

        /* A reader that goes away is a failed write, not the end in the middle of a call. */
        (void) signal(SIGPIPE, SIG_IGN);

        output_init(&cli.output);
        r = cli_run(&cli, argc, argv);
        flushed = output_flush(&cli.output);

        polkit_agent_stop(&cli.polkit_agent);
        sd_bus_flush_close_unref(cli.bus);
        return r < 0 || flushed < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Group "ctvirt": the client itself.
 */

#include "agent/cli/cli.h"
#include "agent/cli/complete.h"
#include "agent/cli/help.h"
#include "agent/cli/verbs.h"
#include "base/strv.h"

static int cmd_help(Cli *cli, const Command *command) {
        const char *what = command_string(command, "command");
        const VerbGroup *group;
        const VerbDef *verb;

        if (!what) {
                help_groups(&cli->output, verb_groups);
                return 0;
        }

        verb = verb_find(verb_groups, what);
        if (verb) {
                help_verb(&cli->output, verb);
                return 0;
        }

        group = verb_group_find(verb_groups, what);
        if (group) {
                help_group(&cli->output, group);
                return 0;
        }

        output_error(&cli->output, "command or command group '%s' doesn't exist", what);
        return -EINVAL;
}

static int cmd_self_test(Cli *cli, const Command *command) {
        _cleanup_error_ Error *err = NULL;
        int r = verb_groups_check(verb_groups, &err);

        return r < 0 ? cli_print_error(cli, err) : 0;
}

static int cmd_complete(Cli *cli, const Command *command) {
        _cleanup_strv_ char **words = NULL;
        int r;

        r = complete_line(cli, verb_groups, command->rest, command->n_rest, &words);
        if (r < 0)
                return r;

        STRV_FOREACH(w, words)
                output_print(&cli->output, "%s\n", *w);
        return 0;
}

static const OptionDef help_options[] = {
        { .name = "command",
          .type = OPTION_STRING,
          .positional = true,
          .complete = complete_verbs,
          .help = "name of a command or of a group of commands" },
        { 0 },
};

static const OptionDef complete_options[] = {
        { .name = "word",
          .type = OPTION_REST,
          .positional = true,
          .help = "the words of the line up to the cursor, without ctvirt" },
        { 0 },
};

const VerbDef self_verbs[] = {
        { .name = "complete",
          .help = "print the words that can stand at the end of a line",
          .options = complete_options,
          .flags = VERB_HIDDEN | VERB_NO_CONNECT,
          .run = cmd_complete },
        { .name = "help",
          .help = "print help",
          .description = "Prints global help, command specific help, or help for a group of "
                         "related commands",
          .options = help_options,
          .flags = VERB_NO_CONNECT,
          .run = cmd_help },
        { .name = "self-test",
          .help = "check the tables of commands",
          .flags = VERB_HIDDEN | VERB_NO_CONNECT,
          .run = cmd_self_test },
        { 0 },
};

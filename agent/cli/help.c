/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/help.h"

static const char *option_value_word(const OptionDef *option) {
        return option->type == OPTION_NUMBER ? "number" : "string";
}

static void help_synopsis_option(Output *o, const OptionDef *option) {
        if (option->type == OPTION_FLAG)
                output_print(o, " [--%s]", option->name);
        else if (option->type == OPTION_MANY || option->type == OPTION_REST)
                output_print(o, option->required ? " <%s>..." : " [<%s>]...", option->name);
        else if (option->positional)
                output_print(o, option->required ? " <%s>" : " [<%s>]", option->name);
        else
                output_print(o, option->required ? " --%s <%s>" : " [--%s <%s>]", option->name,
                             option_value_word(option));
}

static void help_option(Output *o, const OptionDef *option) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (option->type == OPTION_FLAG)
                r = asprintf(&text, "--%s", option->name);
        else if (option->type == OPTION_MANY || option->type == OPTION_REST)
                r = asprintf(&text, "<%s>", option->name);
        else
                r = asprintf(&text, option->positional ? "[--%s] <%s>" : "--%s <%s>", option->name,
                             option_value_word(option));
        if (r < 0)
                text = NULL;

        output_print(o, "    %-15s  %s\n", text ? text : option->name, option->help);
}

void help_verb(Output *o, const VerbDef *verb) {
        output_print(o, "  NAME\n    %s - %s\n", verb->name, verb->help);

        output_print(o, "\n  SYNOPSIS\n    %s", verb->name);
        OPTION_FOREACH(option, verb)
        help_synopsis_option(o, option);
        output_print(o, "\n");

        if (verb->description)
                output_print(o, "\n  DESCRIPTION\n    %s\n", verb->description);

        if (verb->options) {
                output_print(o, "\n  OPTIONS\n");
                OPTION_FOREACH(option, verb)
                help_option(o, option);
        }
        output_extra(o, "\n");
}

static void help_group_verbs(Output *o, const VerbGroup *group) {
        VERB_FOREACH(v, group)
        if (!(v->flags & VERB_HIDDEN))
                output_print(o, "    %-30s %s\n", v->name, v->help);
}

void help_group(Output *o, const VerbGroup *group) {
        output_print(o, " %s (help keyword '%s'):\n", group->title, group->keyword);
        help_group_verbs(o, group);
}

void help_groups(Output *o, const VerbGroup *groups) {
        output_print(o, "Grouped commands:\n\n");
        GROUP_FOREACH(g, groups) {
                help_group(o, g);
                output_print(o, "\n");
        }
}

void help_usage(Output *o, const VerbGroup *groups) {
        output_print(o,
                     "\n"
                     "ctvirt [options]... <command_string>\n"
                     "ctvirt [options]... <command> [args...]\n"
                     "\n"
                     "  options:\n"
                     "    -c | --connect=URI      where the agent is: ssh://[user@]host, or the\n"
                     "                            path of a bus socket (default: this host)\n"
                     "    -h | --help             this help\n"
                     "    -q | --quiet            quiet mode\n"
                     "    -v                      short version\n"
                     "    -V                      long version\n"
                     "         --version[=TYPE]   version, TYPE is short or long (default short)\n"
                     "  commands (non interactive mode):\n"
                     "\n");
        GROUP_FOREACH(g, groups) {
                output_print(o, " %s (help keyword '%s')\n", g->title, g->keyword);
                help_group_verbs(o, g);
                output_print(o, "\n");
        }
        output_print(o, "  (specify help <group> for details about the commands in the group)\n"
                        "\n"
                        "  (specify help <command> for details about the command)\n"
                        "\n");
}

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Verbs and their options, as tables. The tables feed the parser, the help, the completion and the
 * self-test; a verb is one row and one function.
 *
 * Grammar, virsh's: VERB [ARGUMENT...]. An argument is --option, --option VALUE, --option=VALUE, or
 * a value for the next positional option that has none yet; behind "--" everything is a value.
 */

#include "base/error.h"
#include "base/macro.h"

typedef struct Cli Cli;
typedef struct Command Command;

/* Adds the words that can stand for an option's value. */
typedef int (*CompleteFunction)(Cli *cli, char ***words);

typedef enum OptionType {
        OPTION_FLAG, /* takes no value */
        OPTION_STRING,
        OPTION_NUMBER,
        OPTION_STRINGS, /* a value, and the option may be given again */
        OPTION_MANY, /* one value or more, options may stand between them; the last positional one */
        OPTION_REST, /* all that is left; last row of its table, positional */
} OptionType;

typedef struct OptionDef {
        const char *name;
        OptionType type;
        bool positional;
        bool required;
        CompleteFunction complete; /* NULL: nothing, the shell completes file names */
        const char *help;
} OptionDef;

typedef enum VerbFlags {
        VERB_HIDDEN = 1 << 0,     /* not in the help */
        VERB_NO_CONNECT = 1 << 1, /* the caller does not connect to the agent */
} VerbFlags;

typedef struct VerbDef {
        const char *name;
        const char *help;         /* one line, for the list of commands */
        const char *description;  /* NULL: none */
        const OptionDef *options; /* up to OPTIONS_MAX rows and one without a name; NULL: none */
        VerbFlags flags;
        /* 0, or a negative errno. Prints its errors itself; if it printed none, the caller prints
         * the text of the errno. */
        int (*run)(Cli *cli, const Command *command);
} VerbDef;

typedef struct VerbGroup {
        const char *title;
        const char *keyword;  /* help KEYWORD */
        const VerbDef *verbs; /* ends with a row without a name */
} VerbGroup;

#define OPTIONS_MAX 32
#define REPEATED_MAX 256

#define OPTION_FOREACH(o, verb) for (const OptionDef *o = (verb)->options; o && o->name; o++)
#define VERB_FOREACH(v, group) for (const VerbDef *v = (group)->verbs; v->name; v++)
#define GROUP_FOREACH(g, groups) for (const VerbGroup *g = (groups); g->title; g++)

/* What a person typed, checked against the verb's table. Strings point into argv. */
struct Command {
        const VerbDef *verb;
        bool help;                       /* --help: show the help of the verb instead */
        const char *values[OPTIONS_MAX]; /* by row; flags have "" */
        struct {
                const OptionDef *option;
                const char *value;
        } repeated[REPEATED_MAX]; /* of OPTION_STRINGS, as they came */
        size_t n_repeated;
        char **rest; /* of OPTION_MANY and OPTION_REST */
        int n_rest;
};

/* argv[0] is the verb; the words of argv may be put in another order. On failure err has virsh's
 * sentence. */
int command_parse(const VerbGroup *groups, int argc, char **argv, Command *ret, Error **err);

/* The value of an option of the command's verb (the name must be in its table); NULL: not given. */
const char *command_string(const Command *command, const char *name);
bool command_flag(const Command *command, const char *name);

/* All values of an OPTION_STRINGS; owned vector, NULL for none. -ENOMEM. */
int command_strings(const Command *command, const char *name, char ***ret);

/* A pair of flags that filter a list, one for things that are so and one for those that are not:
 * does one that is or is not so pass? Neither or both flags: everything passes. */
bool command_filter(const Command *command, const char *yes, const char *no, bool is);

/* A number from 1 to max: 1 and *ret, or 0 if the option was not given. */
int command_number(const Command *command, const char *name, unsigned max, unsigned *ret,
                   Error **err);

const VerbDef *verb_find(const VerbGroup *groups, const char *name);
const VerbGroup *verb_group_find(const VerbGroup *groups, const char *keyword);
const OptionDef *option_find(const VerbDef *verb, const char *name);

/* Checks the tables themselves; the error names the verb. */
int verb_groups_check(const VerbGroup *groups, Error **err);

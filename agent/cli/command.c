/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/command.h"

#include <ctype.h>

#include "base/strv.h"

const VerbDef *verb_find(const VerbGroup *groups, const char *name) {
        GROUP_FOREACH(g, groups)
        VERB_FOREACH(v, g)
        if (streq(v->name, name))
                return v;
        return NULL;
}

const VerbGroup *verb_group_find(const VerbGroup *groups, const char *keyword) {
        GROUP_FOREACH(g, groups)
        if (streq(g->keyword, keyword))
                return g;
        return NULL;
}

const OptionDef *option_find(const VerbDef *verb, const char *name) {
        OPTION_FOREACH(o, verb)
        if (streq(o->name, name))
                return o;
        return NULL;
}

static int command_set(Command *c, const OptionDef *o, const char *value, Error **err) {
        size_t row = (size_t) (o - c->verb->options);

        if (o->type == OPTION_STRINGS) {
                if (c->n_repeated == REPEATED_MAX)
                        return error_set(err, EINVAL, "too many options --%s", o->name);
                c->repeated[c->n_repeated].option = o;
                c->repeated[c->n_repeated++].value = value;
        } else if (c->values[row])
                return error_set(err, EINVAL, "option --%s already seen", o->name);

        c->values[row] = value;
        return 0;
}

static const OptionDef *command_next_positional(const Command *c) {
        OPTION_FOREACH(o, c->verb)
        if (o->positional && (!c->values[o - c->verb->options] || o->type == OPTION_MANY))
                return o;
        return NULL;
}

/* The value of a non-flag option: behind the "=", or the next word. */
static int command_take_value(const OptionDef *o, const char *inline_value, int argc, char **argv,
                              int *i, const char **ret, Error **err) {
        if (inline_value) {
                *ret = inline_value;
                return 0;
        }
        if (*i + 1 >= argc)
                return error_set(err, EINVAL, "expected syntax: --%s <%s>", o->name,
                                 o->type == OPTION_NUMBER ? "number" : "string");

        *ret = argv[++*i];
        return 0;
}

/* argv[*i] begins with "--" and is longer; *i moves to the last word used. */
static int command_parse_option(Command *c, int argc, char **argv, int *i, Error **err) {
        const char *word = argv[*i] + 2, *equals = strchr(word, '='), *value = "";
        _cleanup_free_ char *name = strndup(word, equals ? (size_t) (equals - word) : strlen(word));
        const OptionDef *o;
        int r;

        if (!name)
                return -ENOMEM;

        o = option_find(c->verb, name);
        if (!o && streq(name, "help")) {
                c->help = true;
                return 0;
        }
        if (!o || o->type == OPTION_MANY || o->type == OPTION_REST)
                return error_set(err, EINVAL, "command '%s' doesn't support option --%s",
                                 c->verb->name, name);

        if (o->type == OPTION_FLAG && equals)
                return error_set(err, EINVAL, "invalid '=' after option --%s", name);
        if (o->type != OPTION_FLAG) {
                r = command_take_value(o, equals ? equals + 1 : NULL, argc, argv, i, &value, err);
                if (r < 0)
                        return r;
        }
        return command_set(c, o, value, err);
}

/* The words of OPTION_MANY move together; what stood between them comes after them. */
static void command_collect(Command *c, const OptionDef *o, char **argv, int i) {
        char *word = argv[i];

        if (c->n_rest == 0)
                c->rest = argv + i;
        for (; argv + i > c->rest + c->n_rest; i--)
                argv[i] = argv[i - 1];
        argv[i] = word;
        c->n_rest++;
        c->values[o - c->verb->options] = "";
}

static int command_parse_positional(Command *c, int argc, char **argv, int *i, Error **err) {
        const OptionDef *o = command_next_positional(c);

        if (!o)
                return error_set(err, EINVAL, "unexpected data '%s'", argv[*i]);

        if (o->type == OPTION_MANY) {
                command_collect(c, o, argv, *i);
                return 0;
        }
        if (o->type == OPTION_REST) {
                c->rest = argv + *i;
                c->n_rest = argc - *i;
                *i = argc - 1;
                return command_set(c, o, "", err);
        }
        return command_set(c, o, argv[*i], err);
}

static int command_check(const Command *c, Error **err) {
        OPTION_FOREACH(o, c->verb) {
                const char *value = c->values[o - c->verb->options];

                if (!value && o->required)
                        return error_set(err, EINVAL,
                                         o->positional ? "command '%s' requires <%s> option"
                                                       : "command '%s' requires --%s option",
                                         c->verb->name, o->name);
                if (value && !*value && o->type >= OPTION_STRING && o->type <= OPTION_STRINGS)
                        return error_set(err, EINVAL,
                                         "Failed to get option '%s': Option argument is empty",
                                         o->name);
        }
        return 0;
}

int command_parse(const VerbGroup *groups, int argc, char **argv, Command *ret, Error **err) {
        Command c = { .verb = verb_find(groups, argv[0]) };
        bool only_data = false;
        int r;

        if (!c.verb)
                return error_set(err, EINVAL, "unknown command: '%s'", argv[0]);

        for (int i = 1; i < argc; i++) {
                if (!only_data && streq(argv[i], "--")) {
                        only_data = true;
                        continue;
                }
                r = !only_data && startswith(argv[i], "--")
                            ? command_parse_option(&c, argc, argv, &i, err)
                            : command_parse_positional(&c, argc, argv, &i, err);
                if (r < 0)
                        return r;
        }

        r = c.help ? 0 : command_check(&c, err);
        if (r < 0)
                return r;

        *ret = c;
        return 0;
}

const char *command_string(const Command *command, const char *name) {
        const OptionDef *o = option_find(command->verb, name);

        assert(o);
        return command->values[o - command->verb->options];
}

int command_strings(const Command *command, const char *name, char ***ret) {
        const OptionDef *o = option_find(command->verb, name);
        _cleanup_strv_ char **v = NULL;

        assert(o && o->type == OPTION_STRINGS);
        for (size_t i = 0; i < command->n_repeated; i++) {
                int r = command->repeated[i].option == o
                                ? strv_extend(&v, command->repeated[i].value)
                                : 0;

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(v);
        return 0;
}

bool command_flag(const Command *command, const char *name) {
        return command_string(command, name);
}

bool command_filter(const Command *command, const char *yes, const char *no, bool is) {
        bool want_yes = command_flag(command, yes), want_no = command_flag(command, no);

        return want_yes == want_no || (is ? want_yes : want_no);
}

int command_number(const Command *command, const char *name, unsigned max, unsigned *ret,
                   Error **err) {
        const char *s = command_string(command, name);
        unsigned long n;
        char *end;

        if (!s)
                return 0;

        errno = 0;
        n = strtoul(s, &end, 10);
        if (errno != 0 || !isdigit((unsigned char) *s) || *end || n < 1 || n > max)
                return error_set(err, EINVAL,
                                 "Numeric value '%s' for <%s> option is malformed or out of range",
                                 s, name);

        *ret = (unsigned) n;
        return 1;
}

static bool word_is_valid(const char *s) {
        return *s && *s != '-' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool is_last_positional(const OptionDef *o) {
        while ((++o)->name)
                if (o->positional)
                        return false;
        return true;
}

static int option_check(const VerbDef *v, const OptionDef *o, Error **err) {
        if (!word_is_valid(o->name) || isempty(o->help))
                return error_set(err, EINVAL, "'%s': option without name or help", v->name);
        if (option_find(v, o->name) != o || streq(o->name, "help"))
                return error_set(err, EINVAL, "'%s': option --%s is there twice", v->name, o->name);
        if (o->type == OPTION_FLAG && (o->positional || o->required))
                return error_set(err, EINVAL, "'%s': flag --%s wants a value", v->name, o->name);
        if (o->type == OPTION_STRINGS && (o->positional || o->required))
                return error_set(err, EINVAL, "'%s': --%s cannot be positional", v->name, o->name);
        if (o->type == OPTION_REST && (!o->positional || o[1].name))
                return error_set(err, EINVAL, "'%s': <%s> is not the last", v->name, o->name);
        if (o->type == OPTION_MANY && (!o->positional || !is_last_positional(o)))
                return error_set(err, EINVAL, "'%s': <%s> is not the last positional one", v->name,
                                 o->name);
        if (o > v->options && o->positional && o->required && !o[-1].required)
                return error_set(err, EINVAL, "'%s': <%s> behind an optional one", v->name,
                                 o->name);
        return 0;
}

static int verb_check(const VerbGroup *groups, const VerbDef *v, Error **err) {
        size_t n = 0;

        if (!word_is_valid(v->name) || verb_find(groups, v->name) != v)
                return error_set(err, EINVAL, "command '%s' is there twice", v->name);
        if (!v->run || isempty(v->help))
                return error_set(err, EINVAL, "command '%s' has no function or no help", v->name);

        OPTION_FOREACH(o, v) {
                int r = option_check(v, o, err);

                if (r < 0)
                        return r;
                if (++n > OPTIONS_MAX)
                        return error_set(err, EINVAL, "'%s': too many options", v->name);
        }
        return 0;
}

int verb_groups_check(const VerbGroup *groups, Error **err) {
        GROUP_FOREACH(g, groups)
        VERB_FOREACH(v, g) {
                int r = verb_check(groups, v, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

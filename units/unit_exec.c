/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_exec.h"

#include "base/name.h"
#include "units/conf_file.h"
#include "units/conf_word.h"

#define UNIT_PREFIX "systemd-nspawn"
#define UNIT_SUFFIX ".service"
#define WHITESPACE " \t\n\r"
#define SHELL_MARKS "\"'`;&|()"

/* Short options of nspawn that take an argument: what follows them in the same word is no option.
 */
#define SHORT_WITH_ARGUMENT "DuLMSZipE"

typedef struct ExecScan {
        UnitExec *exec;
        const char *container;
        char *pending; /* an option whose argument is the next word */
} ExecScan;

static char *put(char *p, const char *s) {
        return mempcpy(p, s, strlen(s));
}

/* %I: the escaping of unit names undone. \xNN does not occur in a container's name. */
static char *put_unescaped(char *p, const char *name) {
        for (; *name; name++)
                *p++ = *name == '-' ? '/' : *name;
        return p;
}

static char *put_specifier(char *p, char specifier, const char *container) {
        if (specifier == '%')
                *p++ = '%';
        else if (specifier == 'i')
                p = put(p, container);
        else if (specifier == 'I')
                p = put_unescaped(p, container);
        else if (specifier == 'j')
                p = put(p, "nspawn");
        else if (specifier == 'p')
                p = put(p, UNIT_PREFIX);
        else if (specifier == 'n' || specifier == 'N')
                p = put(put(put(p, UNIT_PREFIX "@"), container),
                        specifier == 'n' ? UNIT_SUFFIX : "");
        else {
                *p++ = '%';
                *p++ = specifier;
        }
        return p;
}

static char *expand_specifiers(const char *word, const char *container) {
        size_t n = 0, longest = strlen(UNIT_PREFIX "@" UNIT_SUFFIX) + strlen(container);
        char *s, *p;

        for (const char *c = word; *c; c++)
                n += *c == '%' ? longest : 1;
        s = p = malloc(n + 1);
        if (!s)
                return NULL;

        for (; *word; word++)
                if (word[0] == '%' && word[1])
                        p = put_specifier(p, *++word, container);
                else
                        *p++ = *word;
        *p = '\0';
        return s;
}

static int set_bridge(ExecScan *s, const char *value) {
        free(s->exec->bridge);
        s->exec->bridge = NULL;
        if (!link_name_is_valid(value))
                return 0;
        s->exec->bridge = strdup(value);
        return s->exec->bridge ? 0 : -ENOMEM;
}

static void set_settings(ExecScan *s, const char *value) {
        int b = conf_parse_boolean(value);

        if (streq(value, "override"))
                s->exec->settings = SETTINGS_OVERRIDE;
        else if (streq(value, "trusted"))
                s->exec->settings = SETTINGS_TRUSTED;
        else if (b >= 0)
                s->exec->settings = b ? SETTINGS_YES : SETTINGS_NO;
}

static int take_argument(ExecScan *s, const char *option, const char *value) {
        if (streq(option, "--network-bridge"))
                return set_bridge(s, value);
        if (streq(option, "--settings"))
                set_settings(s, value);
        return 0;
}

static bool short_options_have_network(const char *word) {
        for (word++; *word && !strchr(SHORT_WITH_ARGUMENT, *word); word++)
                if (*word == 'n')
                        return true;
        return false;
}

static bool is_network_option(const char *word) {
        if (word[0] != '-')
                return false;
        if (word[1] != '-')
                return short_options_have_network(word);
        return startswith(word, "--network-") || streq(word, "--private-network");
}

static int scan_word(ExecScan *s, const char *word) {
        _cleanup_free_ char *option = TAKE_PTR(s->pending);
        const char *equals = strchr(word, '=');

        if (option)
                return take_argument(s, option, word);
        if (is_network_option(word))
                s->exec->has_network = true;

        if (streq(word, "--network-bridge") || streq(word, "--settings")) {
                s->pending = strdup(word);
                return s->pending ? 0 : -ENOMEM;
        }
        if (!startswith(word, "--") || !equals)
                return 0;

        option = strndup(word, (size_t) (equals - word));
        return option ? take_argument(s, option, equals + 1) : -ENOMEM;
}

/* A script for a shell. Its quoting is not followed (a stray quote in it would hide all that comes
 * behind): what looks like one of our options is one. */
static int scan_script(ExecScan *s, char *script) {
        char *state = NULL;

        for (char *w = strtok_r(script, WHITESPACE, &state); w;
             w = strtok_r(NULL, WHITESPACE, &state)) {
                int r;

                w += strspn(w, SHELL_MARKS);
                w[strcspn(w, SHELL_MARKS)] = '\0';
                r = scan_word(s, w);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int scan_argument(ExecScan *s, char *word) {
        return *word != '-' && strpbrk(word, WHITESPACE) ? scan_script(s, word)
                                                         : scan_word(s, word);
}

/* An option that says nothing of what we look for, whatever its value: --machine=%i. */
static bool is_of_no_concern(const ExecScan *s, const char *word) {
        return !s->pending && startswith(word, "--") && strcspn(word, "=") < strcspn(word, "%") &&
               !is_network_option(word) && !startswith(word, "--settings=");
}

static int scan_expanded(ExecScan *s, const char *word) {
        _cleanup_free_ char *expanded = NULL;

        s->exec->specific = true;
        expanded = expand_specifiers(word, s->container);
        return expanded ? scan_argument(s, expanded) : -ENOMEM;
}

static int scan_raw(ExecScan *s, char *word) {
        if (is_of_no_concern(s, word))
                return 0;
        return strchr(word, '%') ? scan_expanded(s, word) : scan_argument(s, word);
}

static int scan_command(ExecScan *s, const char *command) {
        for (;;) {
                _cleanup_free_ char *word = NULL;
                int r;

                r = conf_word_next(&command, CONF_WORD_C_ESCAPES, &word);
                if (r <= 0)
                        return r;
                r = scan_raw(s, word);
                if (r < 0)
                        return r;
        }
}

int unit_exec_add(UnitExec *e, const char *command, const char *container) {
        ExecScan s = { .exec = e, .container = container };
        int r;

        if (!*command) {
                unit_exec_done(e);
                return 0;
        }
        r = scan_command(&s, command);
        free(s.pending);
        return r;
}

void unit_exec_done(UnitExec *e) {
        free(e->bridge);
        *e = (UnitExec){ 0 };
}

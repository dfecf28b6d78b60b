/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "units/unit_exec.h"

#include "base/name.h"
#include "units/conf_file.h"
#include "units/conf_word.h"

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

/* %I: the escaping of unit names undone. \xNN does not occur in a container's name. */
static void put_unescaped(FILE *f, const char *name) {
        for (; *name; name++)
                fputc(*name == '-' ? '/' : *name, f);
}

static void put_specifier(FILE *f, char specifier, const char *container) {
        if (specifier == '%')
                fputc('%', f);
        else if (specifier == 'i')
                fputs(container, f);
        else if (specifier == 'I')
                put_unescaped(f, container);
        else if (specifier == 'j')
                fputs("nspawn", f);
        else if (specifier == 'p')
                fputs("systemd-nspawn", f);
        else if (specifier == 'n' || specifier == 'N')
                fprintf(f, "systemd-nspawn@%s%s", container, specifier == 'n' ? ".service" : "");
        else
                fprintf(f, "%%%c", specifier);
}

static char *expand_specifiers(const char *word, const char *container) {
        _cleanup_free_ char *s = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        size_t size;

        /* Most words, and a stream costs more than all the rest of this file. */
        if (!strchr(word, '%'))
                return strdup(word);

        f = open_memstream(&s, &size);
        if (!f)
                return NULL;

        for (; *word; word++)
                if (word[0] == '%' && word[1])
                        put_specifier(f, *++word, container);
                else
                        fputc(*word, f);

        return fclose(TAKE_PTR(f)) == 0 ? TAKE_PTR(s) : NULL;
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

static int scan_command(ExecScan *s, const char *command) {
        _cleanup_free_ char *word = NULL, *expanded = NULL;
        int r;

        r = conf_word_next(&command, CONF_WORD_C_ESCAPES, &word);
        while (r > 0) {
                expanded = expand_specifiers(word, s->container);
                if (!expanded)
                        return -ENOMEM;

                if (*expanded != '-' && strpbrk(expanded, WHITESPACE))
                        r = scan_script(s, expanded);
                else
                        r = scan_word(s, expanded);
                free(TAKE_PTR(expanded));
                free(TAKE_PTR(word));
                if (r < 0)
                        return r;
                r = conf_word_next(&command, CONF_WORD_C_ESCAPES, &word);
        }
        return r;
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

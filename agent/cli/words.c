/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/words.h"

#define SPACES " \t"
#define ENDS ";\n"

static const char *skip_spaces(const char *s) {
        s += strspn(s, SPACES);
        if (*s == '#')
                s += strcspn(s, "\n");
        return s;
}

/* One word, which is there. */
static int word_next(const char **s, char **ret, Error **err) {
        _cleanup_free_ char *word = malloc(strlen(*s) + 1);
        char *p = word, quote = '\0';
        const char *c;

        if (!word)
                return -ENOMEM;

        for (c = *s; *c && (quote || !strchr(SPACES ENDS, *c)); c++) {
                bool is_quote = *c == '"' || *c == '\'';

                if (is_quote && (!quote || quote == *c))
                        quote = quote ? '\0' : *c;
                else if (*c != '\\' || quote == '\'')
                        *p++ = *c;
                else if (c[1])
                        *p++ = *++c;
                else
                        return error_set(err, EINVAL, "dangling \\");
        }
        if (quote)
                return error_set(err, EINVAL, "missing %c", quote);

        *p = '\0';
        *s = c;
        *ret = TAKE_PTR(word);
        return 0;
}

int words_next(const char **s, char ***ret, Error **err) {
        _cleanup_strv_ char **words = NULL;
        const char *c = skip_spaces(*s);

        while (*c && !(words && strchr(ENDS, *c))) {
                char *word = NULL;
                int r;

                if (strchr(ENDS, *c)) {
                        c = skip_spaces(c + 1);
                        continue;
                }
                r = word_next(&c, &word, err);
                if (r >= 0)
                        r = strv_push(&words, word);
                if (r < 0)
                        return r;
                c = skip_spaces(c);
        }

        *s = c;
        *ret = TAKE_PTR(words);
        return *ret ? 1 : 0;
}

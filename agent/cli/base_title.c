/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/base_title.h"

/* The next word of s that is NAME=VALUE: the value. */
static const char *next_fact(const char *s, const char *name) {
        size_t n = strlen(name);

        while (*s) {
                if (strncmp(s, name, n) == 0 && s[n] == '=')
                        return s + n + 1;
                s += strcspn(s, " ");
                s += strspn(s, " ");
        }
        return NULL;
}

static unsigned count_facts(const char *s, const char *name) {
        unsigned count = 0;

        while ((s = next_fact(s, name)))
                count++;
        return count;
}

/* For printf's %.*s: the value of a fact up to the next space. */
#define LENGTH(value) ((int) strcspn(value, " "))

static int add_value(FILE *f, const char *description, const char *name, const char *before) {
        const char *value = next_fact(description, name);

        return value ? fprintf(f, "%s%.*s", before, LENGTH(value), value) : 0;
}

static void write_title(FILE *f, const char *description) {
        unsigned packages = count_facts(description, "Package");

        if (!next_fact(description, "Recipe")) {
                (void) add_value(f, description, "Type", "");
                (void) add_value(f, description, "Source", " ");
                return;
        }
        (void) add_value(f, description, "Recipe", "");
        (void) add_value(f, description, "Release", " ");
        (void) add_value(f, description, "Architecture", " ");
        if (packages > 0)
                (void) fprintf(f, ", %u package%s", packages, packages == 1 ? "" : "s");
}

int base_title(const char *description, char **ret) {
        _cleanup_free_ char *title = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&title, &size);
        if (!f)
                return -ENOMEM;
        write_title(f, description);
        if (fclose(f) != 0)
                return -ENOMEM;

        *ret = *title ? TAKE_PTR(title) : strdup(description);
        return *ret ? 0 : -ENOMEM;
}

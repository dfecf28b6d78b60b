/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/container_program.h"

static EnvironmentDef *find_variable(const ContainerDef *def, const char *name) {
        for (size_t i = 0; i < def->n_environment; i++)
                if (streq(def->environment[i].name, name))
                        return &def->environment[i];
        return NULL;
}

static int add_variable(ContainerDef *def, const char *name, char *value) {
        _cleanup_free_ char *copy = strdup(name);
        EnvironmentDef *grown;

        if (!copy)
                return -ENOMEM;
        grown = reallocarray(def->environment, def->n_environment + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        def->environment = grown;
        grown[def->n_environment++] = (EnvironmentDef){ .name = TAKE_PTR(copy), .value = value };
        return 0;
}

int container_def_set_variable(ContainerDef *def, const char *name, const char *value) {
        _cleanup_free_ char *copy = strdup(value);
        EnvironmentDef *variable = find_variable(def, name);
        int r = 0;

        if (!copy)
                return -ENOMEM;
        if (!variable) {
                r = add_variable(def, name, copy);
                if (r >= 0)
                        copy = NULL;
                return r;
        }
        free(variable->value);
        variable->value = TAKE_PTR(copy);
        variable->withheld = false;
        return 0;
}

/* 1: it was filled. */
static int fill_text(char **text, const char *from) {
        if (*text || !from)
                return 0;
        *text = strdup(from);
        return *text ? 1 : -ENOMEM;
}

static int fill_init(ContainerDef *def, const ContainerDef *from) {
        int r, k;

        if (def->init || strv_length(def->initargs) > 0)
                return 0;
        r = fill_text(&def->init, from->init);
        if (r < 0 || strv_length(from->initargs) == 0)
                return r;
        strv_free(def->initargs);
        def->initargs = NULL;
        k = strv_copy(from->initargs, &def->initargs);
        return k < 0 ? k : 1;
}

static int fill_environment(ContainerDef *def, const ContainerDef *from) {
        int filled = 0;

        for (size_t i = 0; i < from->n_environment; i++) {
                const EnvironmentDef *variable = &from->environment[i];
                int r;

                if (variable->withheld || find_variable(def, variable->name))
                        continue;
                r = container_def_set_variable(def, variable->name,
                                               variable->value ? variable->value : "");
                if (r < 0)
                        return r;
                filled = 1;
        }
        return filled;
}

int container_def_fill_program(ContainerDef *def, const ContainerDef *from) {
        int filled = 0;
        const int results[] = {
                fill_init(def, from),
                fill_environment(def, from),
                fill_text(&def->initdir, from->initdir),
                fill_text(&def->inituser, from->inituser),
                fill_text(&def->initgroup, from->initgroup),
        };

        for (size_t i = 0; i < ELEMENTSOF(results); i++) {
                if (results[i] < 0)
                        return results[i];
                filled = filled || results[i] > 0;
        }
        return filled;
}

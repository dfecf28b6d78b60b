/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>

#include "agent/bootstrap/recipe.h"
#include "base/fileio.h"
#include "units/text.h"

#define SUFFIX ".conf"

static const char *const folders[] = { RECIPE_FOLDER_ETC, RECIPE_FOLDER };

DEFINE_CLEANUP(DIR *, closedir)

static int list_folder(const char *path, char ***names) {
        _cleanup_(closedirp) DIR *dir = opendir(path);
        const struct dirent *entry;

        if (!dir)
                return errno == ENOENT ? 0 : negative_errno();
        while ((entry = readdir(dir))) {
                _cleanup_free_ char *name = strdup(entry->d_name);
                int r;

                if (!name)
                        return -ENOMEM;
                if (!endswith(name, SUFFIX))
                        continue;
                name[strlen(name) - strlen(SUFFIX)] = '\0';
                if (!recipe_name_is_valid(name) || strv_contains(*names, name))
                        continue;
                r = strv_push(names, TAKE_PTR(name));
                if (r < 0)
                        return r;
        }
        return 0;
}

int recipe_list(const char *root, char ***ret) {
        _cleanup_strv_ char **names = NULL;

        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                _cleanup_free_ char *path = text_format("%s%s", root, folders[i]);
                int r = path ? list_folder(path, &names) : -ENOMEM;

                if (r < 0)
                        return r;
        }
        if (names)
                strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

static int not_found(const char *root, const char *name, Error **err) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *list = NULL;

        if (recipe_list(root, &names) >= 0)
                list = strv_join(names, ", ");
        return error_set(err, ENOENT,
                         "there is no recipe '%s' in " RECIPE_FOLDER_ETC " or " RECIPE_FOLDER
                         "; there are: %s (ctvirt-recipe(5) says how to add one)",
                         name, isempty(list) ? "none" : list);
}

int recipe_load(const char *root, const char *name, const char *release, const char *architecture,
                Recipe **ret, Error **err) {
        if (!recipe_name_is_valid(name))
                return error_set(err, EINVAL,
                                 "'%s' is no name of a recipe: lower-case letters, digits and "
                                 "dashes",
                                 name);
        for (size_t i = 0; i < ELEMENTSOF(folders); i++) {
                _cleanup_free_ char *path = NULL, *text = NULL;
                size_t size;
                int r;

                path = text_format("%s%s/%s" SUFFIX, root, folders[i], name);
                if (!path)
                        return -ENOMEM;
                r = read_file_at(AT_FDCWD, path, RECIPE_MAX, true, &text, &size);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return error_set(err, -r, "the recipe %s cannot be read: %s", path,
                                         strerror(-r));
                return recipe_parse(text, size, name, path, release, architecture, ret, err);
        }
        return not_found(root, name, err);
}

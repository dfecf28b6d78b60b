/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/image_program.h"

#include "agent/bootstrap/root_tree.h"
#include "units/generated.h"
#include "units/text.h"
#include "xml/container_program.h"
#include "xml/container_values.h"

/* Of an image that names none; what systemd-nspawn gives as well (DEFAULT_PATH of
 * basic/path-util.h). */
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * In the tree
 */

/* -ENOENT: it is not there, or nothing that can be run. */
static int find_below(const RootTree *t, const char *folder, const char *name, char **ret) {
        _cleanup_free_ char *joined = text_format("%s/%s", folder, name), *path = NULL;
        int r;

        if (!joined)
                return -ENOMEM;
        r = clean_path(joined, &path);
        if (r < 0 || !root_tree_has_program(t, path))
                return r == -ENOMEM ? r : -ENOENT;
        *ret = TAKE_PTR(path);
        return 0;
}

static const char *path_of(const ImageCommand *c) {
        const char *found = NULL;

        STRV_FOREACH(e, c->environment)
                if (startswith(*e, "PATH="))
                        found = *e + strlen("PATH=");
        return isempty(found) ? PATH_DEFAULT : found;
}

static int find_in_path(const RootTree *t, const ImageCommand *c, char **ret) {
        _cleanup_free_ char *path = strdup(path_of(c));
        char *rest = path;
        int r = -ENOENT;

        if (!path)
                return -ENOMEM;
        for (char *folder; r == -ENOENT && (folder = strsep(&rest, ":"));)
                if (*folder == '/')
                        r = find_below(t, folder, c->arguments[0], ret);
        return r;
}

static int find_program(const RootTree *t, ImageCommand *c, char ***warnings) {
        const char *name = c->arguments ? c->arguments[0] : NULL;
        char *path;
        int r;

        if (!name)
                return 0;
        if (*name == '/')
                r = find_below(t, "", name, &path);
        else if (strchr(name, '/'))
                r = find_below(t, c->directory ? c->directory : "", name, &path);
        else
                r = find_in_path(t, c, &path);
        if (r == -ENOENT)
                return strv_extendf(warnings,
                                    "the image's program '%s' is not in the image: give <init> in "
                                    "the definition",
                                    name);
        if (r < 0)
                return r;
        free(c->arguments[0]);
        c->arguments[0] = path;
        return 0;
}

/* The user's part of "USER[:GROUP]" without a '+'; "" for root. Owned. */
static char *user_of(const ImageCommand *c) {
        const char *user = c->user ? c->user : "";
        char *copy;

        user += *user == '+';
        copy = strndup(user, strcspn(user, ":"));
        if (copy && (streq(copy, "root") || streq(copy, "0")))
                *copy = '\0';
        return copy;
}

/* NAME:PASSWORD:UID:… by name or id, as getent(1) finds it. */
static bool passwd_has(char *text, const char *user) {
        for (char *line; (line = strsep(&text, "\n"));) {
                const char *name = strsep(&line, ":"), *id;

                (void) strsep(&line, ":");
                id = strsep(&line, ":");
                if (streq(name, user) || streq_ptr(id, user))
                        return true;
        }
        return false;
}

static int check_user(const RootTree *t, const ImageCommand *c, char ***warnings) {
        _cleanup_free_ char *user = user_of(c), *text = NULL;
        int r;

        if (!user)
                return -ENOMEM;
        if (!*user || !init_user_is_valid(user))
                return 0;
        r = root_tree_read(t, "/etc/passwd", ROOT_TREE_FILE_MAX, true, &text);
        if (r == -ENOMEM || (r >= 0 && passwd_has(text, user)))
                return r < 0 ? r : 0;
        return strv_extendf(warnings,
                            "the image's user '%s' has no entry in its /etc/passwd, without which "
                            "systemd-nspawn does not start the container: add one, or give "
                            "<inituser>root</inituser> in the definition",
                            user);
}

/* As the runtimes of such images do; nspawn does not start a container whose folder is not there. */
static int make_directory(const RootTree *t, const ImageCommand *c, char ***warnings) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (isempty(c->directory) || clean_path(c->directory, &path) < 0)
                return 0;
        r = root_tree_folder(t, path, true);
        if (r >= 0)
                (void) close(r);
        return r >= 0 ? 0
                      : strv_extendf(warnings,
                                     "the image's folder '%s', in which its program is to be run, "
                                     "is not there and cannot be made: %s",
                                     c->directory, strerror(-r));
}

int image_program_find(int root_fd, ImageCommand *c, char ***warnings) {
        const RootTree tree = { .fd = root_fd };
        int r;

        r = find_program(&tree, c, warnings);
        if (r >= 0)
                r = make_directory(&tree, c, warnings);
        return r < 0 ? r : check_user(&tree, c, warnings);
}

/*
 * In words
 */

/* Also by its other name, which nspawn's own search does not look at: a link to the same. */
bool image_program_is_init(const char *path) {
        const ContainerDef def = { .init = (char *) path };

        return generated_boots_init(&def) || streq(path, "/usr/bin/systemd") ||
               streq(path, "/bin/systemd");
}

static int put_program(const ImageCommand *c, ContainerDef *image) {
        int r = 0;

        /* What could not be found has been told about. */
        if (!c->arguments || c->arguments[0][0] != '/')
                return 0;
        if (!image_program_is_init(c->arguments[0]))
                r = clean_path(c->arguments[0], &image->init);
        if (r < 0)
                return r == -EINVAL ? 0 : r;
        return strv_copy(c->arguments + 1, &image->initargs);
}

static int put_variable(const char *assignment, ContainerDef *image, char ***warnings) {
        const char *equals = strchr(assignment, '=');
        _cleanup_free_ char *name = NULL;

        name = strndup(assignment, equals ? (size_t) (equals - assignment) : strlen(assignment));
        if (!name)
                return -ENOMEM;
        if (!variable_name_is_valid(name))
                return strv_extendf(warnings,
                                    "the image's variable '%s' is left out: its name is not of "
                                    "letters, digits and '_'",
                                    name);
        return container_def_set_variable(image, name, equals ? equals + 1 : "");
}

static int put_directory(const ImageCommand *c, ContainerDef *image, char ***warnings) {
        int r;

        if (isempty(c->directory) || streq(c->directory, "/"))
                return 0;
        r = clean_path(c->directory, &image->initdir);
        if (r >= 0 && directory_is_plain(image->initdir))
                return 0;
        free(TAKE_PTR(image->initdir));
        if (r == -ENOMEM)
                return r;
        return strv_extendf(warnings,
                            "the image's folder '%s' is left out: it is no path that "
                            "<initdir> can have",
                            c->directory);
}

static int put_word(const char *word, const char *what, char **ret, char ***warnings) {
        if (!init_user_is_valid(word))
                return strv_extendf(warnings,
                                    "the image's %s '%s' is left out: it is neither a name nor an "
                                    "id",
                                    what, word);
        *ret = strdup(word);
        return *ret ? 0 : -ENOMEM;
}

static int put_user(const ImageCommand *c, ContainerDef *image, char ***warnings) {
        _cleanup_free_ char *user = user_of(c);
        const char *group = c->user ? strchr(c->user, ':') : NULL;
        int r = 0;

        if (!user)
                return -ENOMEM;
        if (*user)
                r = put_word(user, "user", &image->inituser, warnings);
        if (r < 0 || !group || !group[1] || streq(group + 1, "root") || streq(group + 1, "0"))
                return r;
        return put_word(group + 1, "group", &image->initgroup, warnings);
}

static int put_image(const ImageCommand *c, const ContainerDef *def, ContainerDef *image,
                     char ***warnings) {
        bool booted;
        int r;

        r = put_program(c, image);
        STRV_FOREACH(e, c->environment)
                if (r >= 0)
                        r = put_variable(*e, image, warnings);
        booted = def->init ? generated_boots_init(def) : def->initargs || !image->init;
        if (r >= 0 && !booted)
                r = put_directory(c, image, warnings);
        return r < 0 || booted ? r : put_user(c, image, warnings);
}

int image_program_apply(const ImageCommand *c, ContainerDef *def, char ***warnings) {
        _cleanup_(container_def_freep) ContainerDef *image = calloc(1, sizeof(*image));
        int r;

        if (!image)
                return -ENOMEM;
        r = put_image(c, def, image, warnings);
        return r < 0 ? r : container_def_fill_program(def, image);
}

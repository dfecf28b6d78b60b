/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/source_apt.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fileio.h"
#include "units/container_root.h"
#include "units/text.h"

#define MMDEBSTRAP_HOOKS "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr"
#define KEYRINGS "etc/apt/keyrings"
#define KEY_MAX (4 * 1024 * 1024)
#define RELEASE_MAX (16 * 1024 * 1024)
#define VERSION_MAX 4096

/* Licences stay: they have to be with what they are about. */
static const char *const without_docs[] = {
        "path-exclude=/usr/share/man/*",
        "path-exclude=/usr/share/info/*",
        "path-exclude=/usr/share/doc/*",
        "path-include=/usr/share/doc/*/copyright",
};

static int add_packages(const SourceJob *j, char ***arguments) {
        _cleanup_strv_ char **packages = NULL;
        _cleanup_free_ char *list = NULL;
        int r;

        r = source_packages(j, &packages);
        if (r < 0 || !packages)
                return r;
        list = strv_join(packages, ",");
        return list ? strv_extendf(arguments, "--include=%s", list) : -ENOMEM;
}

/* The other options are lines of its own: nothing is a shell's. */
int mmdebstrap_arguments(const SourceJob *j, const AptLines *lines, char ***ret) {
        static const char *const always[] = { "mmdebstrap",        "--mode=root",
                                              "--variant=minbase", "--format=directory",
                                              "--verbose",         MMDEBSTRAP_HOOKS };
        _cleanup_strv_ char **a = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(always); i++)
                r = strv_extend(&a, always[i]);
        if (r >= 0)
                r = strv_extendf(&a, "--architectures=%s", j->recipe->architecture);
        for (size_t i = 0; r >= 0 && !j->bootstrap->docs && i < ELEMENTSOF(without_docs); i++)
                r = strv_extendf(&a, "--dpkgopt=%s", without_docs[i]);
        if (r >= 0)
                r = add_packages(j, &a);
        if (r >= 0)
                r = strv_extend(&a, j->recipe->release);
        if (r >= 0)
                r = strv_extend(&a, j->root);
        for (size_t i = 0; r >= 0 && i < lines->n_items; i++)
                r = strv_push(&a, apt_line_format(&lines->items[i], true, lines->items[i].key));
        for (char *const *f = lines->files; r >= 0 && f && *f; f++)
                r = strv_extend(&a, *f);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(a);
        return 0;
}

int debootstrap_arguments(const SourceJob *j, const AptLines *lines, char ***ret) {
        const AptLine *first = &lines->items[0];
        _cleanup_free_ char *components = strdup(first->components);
        _cleanup_strv_ char **a = NULL;
        int r;

        if (!components)
                return -ENOMEM;
        for (char *c = strchr(components, ' '); c; c = strchr(c, ' '))
                *c = ',';
        r = strv_extend(&a, "debootstrap");
        if (r >= 0)
                r = strv_extend(&a, "--variant=minbase");
        if (r >= 0)
                r = strv_extend(&a, "--merged-usr");
        if (r >= 0)
                r = strv_extendf(&a, "--arch=%s", j->recipe->architecture);
        if (r >= 0 && first->key)
                r = strv_extendf(&a, "--keyring=%s", first->key);
        if (r >= 0)
                r = strv_extend(&a, "--force-check-gpg");
        if (r >= 0)
                r = strv_extendf(&a, "--components=%s", components);
        if (r >= 0)
                r = add_packages(j, &a);
        if (r >= 0)
                r = strv_extend(&a, first->suite);
        if (r >= 0)
                r = strv_extend(&a, j->root);
        if (r >= 0)
                r = strv_extend(&a, first->url);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(a);
        return 0;
}

/* Is that file in the tree? */
static bool is_in_root(const SourceJob *j, const char *path) {
        _cleanup_free_ char *folder = strdup(path + 1);
        char *name = folder ? strrchr(folder, '/') : NULL;
        _cleanup_close_ int fd = -1;
        unsigned created;
        struct stat st;

        if (!name)
                return false;
        *name++ = '\0';
        fd = container_root_folder(j->root_fd, folder, false, &created);
        return fd >= 0 && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* Keys that no package in the container brings go with it. */
static int copy_key(const SourceJob *j, const AptLine *l, char **ret, Error **err) {
        _cleanup_free_ char *text = NULL, *name = NULL;
        size_t size;
        int r;

        if (is_in_root(j, l->key)) {
                *ret = strdup(l->key);
                return *ret ? 0 : -ENOMEM;
        }
        r = source_read_file(l->key, KEY_MAX, &text, &size, err);
        if (r < 0)
                return r;
        name = text_format("%s.%s", l->id,
                           size > 5 && memcmp(text, "-----", 5) == 0 ? "asc" : "gpg");
        if (!name)
                return -ENOMEM;
        r = source_write_root(j, KEYRINGS, name, text, size);
        if (r < 0)
                return error_set(err, -r, "/" KEYRINGS "/%s cannot be written: %s", name,
                                 strerror(-r));
        *ret = text_format("/" KEYRINGS "/%s", name);
        return *ret ? 0 : -ENOMEM;
}

/* What the container will update itself from: the same as here, with paths that it knows. */
static int write_sources(const SourceJob *j, const AptLines *lines, Error **err) {
        _cleanup_strv_ char **text = NULL;
        _cleanup_free_ char *all = NULL;
        int r = 0;

        for (size_t i = 0; i < lines->n_items; i++) {
                _cleanup_free_ char *key = NULL;

                if (lines->items[i].key)
                        r = copy_key(j, &lines->items[i], &key, err);
                if (r >= 0)
                        r = strv_push(&text, apt_line_format(&lines->items[i], false, key));
                if (r < 0)
                        return r;
        }
        r = strv_extend(&text, "");
        all = strv_join(text, "\n");
        if (r < 0 || !all)
                return -ENOMEM;
        r = source_write_root(j, "etc/apt", "sources.list", all, strlen(all));
        return r < 0 ? error_set(err, -r, "/etc/apt/sources.list cannot be written: %s",
                                 strerror(-r))
                     : 0;
}

static int run_mmdebstrap(const SourceJob *j, const AptLines *lines, Error **err) {
        _cleanup_strv_ char **arguments = NULL;
        int r;

        r = mmdebstrap_arguments(j, lines, &arguments);
        if (r < 0)
                return r;
        return tool_run(&(Tool){ .arguments = arguments,
                                 .report = j->report,
                                 .home = j->work,
                                 .kind = TOOL_MMDEBSTRAP },
                        err);
}

/* gpgv, which debootstrap calls, reads no armored keys. *ret stays NULL if it is none. */
static int dearmor(const SourceJob *j, const char *key, char **ret, Error **err) {
        _cleanup_free_ char *text = NULL, *path = text_format("%s/archive.gpg", j->work);
        const char *const arguments[] = { "gpg",      "--batch", "--no-tty",  "--no-autostart",
                                          "--output", path,      "--dearmor", key,
                                          NULL };
        size_t size;
        int r;

        if (!path)
                return -ENOMEM;
        r = source_read_file(key, KEY_MAX, &text, &size, err);
        if (r < 0 || !startswith(text, "-----"))
                return r;
        r = tool_run(&(Tool){ .arguments = (char *const *) arguments,
                              .report = j->report,
                              .home = j->work,
                              .install = "gnupg" },
                     err);
        if (r >= 0)
                *ret = TAKE_PTR(path);
        return r;
}

static int run_debootstrap(SourceJob *j, const AptLines *lines, Error **err) {
        _cleanup_strv_ char **arguments = NULL;
        _cleanup_free_ char *key = NULL;
        AptLine first = lines->items[0];
        const AptLines only = { &first, 1 };
        int r = 0;

        if (j->bootstrap->n_repositories > 0)
                return error_set(err, EOPNOTSUPP,
                                 "debootstrap installs from one repository only: install "
                                 "mmdebstrap, or take <ct:repository> out of the definition");
        if (first.key)
                r = dearmor(j, first.key, &key, err);
        if (key)
                first.key = key;
        if (r >= 0)
                r = debootstrap_arguments(j, &only, &arguments);
        if (r < 0)
                return r;
        r = tool_run(&(Tool){ .arguments = arguments,
                              .report = j->report,
                              .home = j->work,
                              .kind = TOOL_DEBOOTSTRAP },
                     err);
        if (r < 0 || lines->n_items < 2)
                return r;
        return strv_extend(&j->warnings,
                           "debootstrap has not installed security updates: run apt-get update "
                           "and apt-get upgrade in the container, or use mmdebstrap");
}

static bool has_mmdebstrap(void) {
        return tool_exists("mmdebstrap") || !tool_exists("debootstrap");
}

/* Future updates leave documentation out as well. */
static int write_dpkg_options(const SourceJob *j) {
        _cleanup_free_ char *text = NULL;

        text = text_format("%s\n%s\n%s\n%s\n", without_docs[0], without_docs[1], without_docs[2],
                           without_docs[3]);
        if (!text)
                return -ENOMEM;
        return source_write_root(j, "etc/dpkg/dpkg.cfg.d", "ctvirt", text, strlen(text));
}

static int fill(SourceJob *j, Error **err) {
        _cleanup_apt_lines_ AptLines lines = { 0 };
        int r;

        r = apt_lines_make(j, &lines, err);
        if (r < 0)
                return r;
        if (has_mmdebstrap())
                r = run_mmdebstrap(j, &lines, err);
        else {
                r = run_debootstrap(j, &lines, err);
                if (r >= 0 && !j->bootstrap->docs)
                        r = write_dpkg_options(j);
        }
        return r < 0 ? r : write_sources(j, &lines, err);
}

/* A mirror on this host can change at any time; what it has now says its Release file. */
static int describe_local(BaseKey *k, const char *url, const char *suite) {
        static const char *const names[] = { "InRelease", "Release" };
        const char *local = url_local_path(url);

        for (size_t i = 0; local && i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = text_format("%s/dists/%s/%s", local, suite, names[i]);
                int r = path ? base_key_add_file(k, "Mirror", path, RELEASE_MAX) : -ENOMEM;

                if (r != -ENOENT)
                        return r;
        }
        return 0;
}

static int describe_line(BaseKey *k, const AptLine *l) {
        _cleanup_free_ char *line = apt_line_format(l, false, NULL);
        int r;

        r = line ? base_key_add(k, "Repository", line) : -ENOMEM;
        if (r >= 0 && l->key)
                r = base_key_add_file(k, "Key", l->key, KEY_MAX);
        return r < 0 ? r : describe_local(k, l->url, l->suite);
}

static int describe_version(const SourceJob *j, BaseKey *k, Error **err) {
        const char *tool = has_mmdebstrap() ? "mmdebstrap" : "debootstrap";
        char *const arguments[] = { (char *) tool, (char *) "--version", NULL };
        _cleanup_free_ char *version = NULL;
        int r;

        r = tool_capture(&(Tool){ .arguments = arguments, .install = "mmdebstrap or debootstrap" },
                         VERSION_MAX, &version, err);
        if (r < 0)
                return r;
        version[strcspn(version, "\n")] = '\0';
        return base_key_add(k, "Tool", version);
}

static int describe(SourceJob *j, BaseKey *k, Error **err) {
        _cleanup_apt_lines_ AptLines lines = { 0 };
        int r;

        r = describe_version(j, k, err);
        if (r >= 0)
                r = apt_lines_make(j, &lines, err);
        for (size_t i = 0; r >= 0 && i < lines.n_items; i++)
                r = describe_line(k, &lines.items[i]);
        for (char **f = lines.files; r >= 0 && f && *f; f++) {
                r = base_key_add_file(k, "RepositoryFile", *f, KEY_MAX);
                if (r < 0)
                        return error_set(err, -r, "%s cannot be read: %s", *f, strerror(-r));
        }
        return r;
}

const RootSource source_apt = {
        .type = BOOTSTRAP_APT,
        .stage = "Installing packages",
        .cached = true,
        .makes_tree = true,
        .describe = describe,
        .fill = fill,
};

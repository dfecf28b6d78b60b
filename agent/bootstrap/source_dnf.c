/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/source_dnf.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/bootstrap/rpm_database.h"
#include "agent/pool/tree_remove.h"
#include "base/fileio.h"
#include "units/conf_file.h"
#include "units/container_root.h"
#include "units/text.h"

#define KEY_MAX (4 * 1024 * 1024)
#define REPO_FILE_MAX (256 * 1024)
#define METADATA_MAX (16 * 1024 * 1024)
#define VERSION_MAX 65536

static int on_assignment(unsigned line, const char *section, const char *key, const char *value,
                         void *userdata) {
        unsigned *bad = userdata;

        if (key && (streq(key, "gpgcheck") || streq(key, "pkg_gpgcheck")) &&
            conf_parse_boolean(value) == 0 && *bad == 0)
                *bad = line;
        return 0;
}

/* The file is read by dnf itself; only what it must not say is looked for. */
static int check_file(const SourceJob *j, const char *path, const char *text, size_t size,
                      Error **err) {
        unsigned bad = 0, line;
        int r;

        if (j->bootstrap->verify == BOOTSTRAP_VERIFY_NO)
                return 0;
        r = conf_parse_lines(text, size, on_assignment, &bad, &line);
        if (r < 0)
                return error_set_at(err, -r, path, line, "this is no .repo file");
        if (bad)
                return error_set_at(err, EPERM, path, bad,
                                    "gpgcheck=0: signatures are always checked, unless the "
                                    "definition says <ct:verify mode='no'/>");
        return 0;
}

static int copy_file(const SourceJob *j, const char *path, unsigned number, Error **err) {
        _cleanup_free_ char *text = NULL, *name = NULL, *to = NULL;
        size_t size;
        int r;

        r = source_read_file(path, REPO_FILE_MAX, &text, &size, err);
        if (r >= 0)
                r = check_file(j, path, text, size, err);
        if (r < 0)
                return r;
        name = text_format("reposdir/%u.repo", number);
        return name ? source_write_work(j, name, text, &to) : -ENOMEM;
}

static int write_text(const SourceJob *j, const char *name, char *text) {
        _cleanup_free_ char *owned = text, *path = NULL;

        return owned ? source_write_work(j, name, owned, &path) : -ENOMEM;
}

/* rpm of Debian keeps its database in $HOME, where the container's own would not look for it. */
static int write_macros(const SourceJob *j) {
        if (!j->recipe->database)
                return 0;
        return write_text(j, ".rpmmacros", text_format("%%_dbpath %s\n", j->recipe->database));
}

static int make_folders(const SourceJob *j) {
        static const char *const names[] = { "reposdir", "varsdir", "cachedir", "logdir" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = text_format("%s/%s", j->work, names[i]);

                if (!path)
                        return -ENOMEM;
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return negative_errno();
        }
        return 0;
}

static int write_setup(const SourceJob *j, const DnfSetup *s, Error **err) {
        unsigned number = 0;
        int r;

        r = make_folders(j);
        if (r >= 0)
                r = write_macros(j);
        if (r >= 0)
                r = write_text(j, "dnf.conf", dnf_config_format(j));
        if (r >= 0)
                r = write_text(j, "reposdir/ctvirt.repo", dnf_repositories_format(s));
        for (char **f = s->files; r >= 0 && f && *f; f++)
                r = copy_file(j, *f, ++number, err);
        return r;
}

/* Guide 4.1: the database was written by the host's rpm, in the host's format. Only the container's
 * own rpm can make it what it wants; nspawn gives it no network and no way out. */
static int rebuild_database(const SourceJob *j, Error **err) {
        _cleanup_free_ char *directory = text_format("--directory=%s", j->root);
        _cleanup_free_ char *machine = text_format("--machine=ctvirt-%s", j->id);
        const char *const arguments[] = {
                "systemd-nspawn", "--quiet",       directory,     "--private-network",
                "--pipe",         "--register=no", "--keep-unit", "--settings=no",
                machine,          "rpmdb",         "--rebuilddb", NULL,
        };
        int r;

        if (!directory || !machine)
                return -ENOMEM;
        r = rpm_database_needs_rebuild(j->root_fd);
        if (r <= 0)
                return r;
        return tool_run(&(Tool){ .arguments = (char *const *) arguments, .report = j->report },
                        err);
}

/* dnf 4 makes the folders of its cache and log below the new root as well, and logs there. What it
 * has made for that is taken away, up to what others need. */
static void remove_traces(const SourceJob *j) {
        _cleanup_free_ char *path = strdup(j->work + 1);
        char *slash;

        for (bool whole = true; path && (slash = strrchr(path, '/')); whole = false) {
                _cleanup_close_ int fd = -1;
                unsigned created;

                *slash = '\0';
                fd = container_root_folder(j->root_fd, path, false, &created);
                if (fd < 0)
                        return;
                if (whole)
                        (void) tree_remove(fd, slash + 1, NULL, NULL);
                else if (unlinkat(fd, slash + 1, AT_REMOVEDIR) < 0)
                        return;
        }
}

static int fill(SourceJob *j, Error **err) {
        _cleanup_dnf_setup_ DnfSetup s = { 0 };
        _cleanup_strv_ char **arguments = NULL;
        int r;

        r = dnf_setup_make(j, &s, err);
        if (r >= 0)
                r = write_setup(j, &s, err);
        if (r >= 0)
                r = dnf_arguments(j, dnf_program(), &arguments);
        if (r < 0)
                return r;
        r = tool_run(&(Tool){ .arguments = arguments,
                              .report = j->report,
                              .home = j->work,
                              .kind = TOOL_DNF },
                     err);
        if (r < 0)
                return r;
        remove_traces(j);
        return rebuild_database(j, err);
}

/* What a repository on this host has now says its repomd.xml. */
static int describe_repository(BaseKey *k, const DnfRepository *o) {
        int r;

        r = base_key_add_list(k, "Repository", o->urls);
        if (r >= 0)
                r = base_key_add(k, "Metalink", o->metalink);
        for (char **u = o->urls; r >= 0 && u && *u; u++) {
                const char *local = startswith(*u, "file://");
                _cleanup_free_ char *path =
                        local ? text_format("%s/repodata/repomd.xml", local) : NULL;

                if (path)
                        r = base_key_add_file(k, "Mirror", path, METADATA_MAX);
                if (r == -ENOENT)
                        r = 0;
        }
        for (char **key = o->keys; r >= 0 && key && *key; key++)
                r = base_key_add_file(k, "Key", *key, KEY_MAX);
        return r;
}

/* dnf 4 looks into the database of the host's packages and writes to its own log for this. */
static int describe_version(const SourceJob *j, BaseKey *k, Error **err) {
        const char *const arguments[] = { dnf_program(), "--version", NULL };
        _cleanup_free_ char *version = NULL;
        int r;

        r = tool_capture(&(Tool){ .arguments = (char *const *) arguments, .home = j->work },
                         VERSION_MAX, &version, err);
        if (r < 0)
                return r;
        version[strcspn(version, "\n")] = '\0';
        return base_key_add(k, "Tool", version);
}

static int describe(SourceJob *j, BaseKey *k, Error **err) {
        _cleanup_dnf_setup_ DnfSetup s = { 0 };
        int r;

        r = describe_version(j, k, err);
        if (r >= 0)
                r = dnf_setup_make(j, &s, err);
        for (size_t i = 0; r >= 0 && i < s.n_repositories; i++)
                r = describe_repository(k, &s.repositories[i]);
        for (char **f = s.files; r >= 0 && f && *f; f++) {
                r = base_key_add_file(k, "RepositoryFile", *f, REPO_FILE_MAX);
                if (r < 0)
                        return error_set(err, -r, "%s cannot be read: %s", *f, strerror(-r));
        }
        return r;
}

const RootSource source_dnf = {
        .type = BOOTSTRAP_DNF,
        .stage = "Installing packages",
        .cached = true,
        .makes_tree = true,
        .describe = describe,
        .fill = fill,
};

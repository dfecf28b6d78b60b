/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/fetch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fileio.h"
#include "units/text.h"

#define KEY_MAX (4 * 1024 * 1024)

int fetch_file(const SourceJob *j, const char *url, bool secure, const char *path, Error **err) {
        const char *protocols = secure ? "=https" : "=http,https";
        const char *const arguments[] = {
                "curl",
                "--fail",
                "--location",
                "--proto",
                protocols,
                "--proto-redir",
                protocols,
                "--silent",
                "--show-error",
                "--connect-timeout",
                "60",
                "--speed-time",
                "60",
                "--output",
                path,
                "--",
                url,
                NULL,
        };
        const Tool tool = { .arguments = (char *const *) arguments, .report = j->report };

        return tool_run(&tool, err);
}

static int run_gpg(const SourceJob *j, const char *home, char *const *more, Error **err) {
        static const char *const always[] = { "gpg", "--batch", "--no-tty", "--quiet",
                                              "--no-autostart" };
        _cleanup_strv_ char **arguments = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(always); i++)
                r = strv_extend(&arguments, always[i]);
        if (r >= 0)
                r = strv_extendf(&arguments, "--homedir=%s", home);
        for (; r >= 0 && *more; more++)
                r = strv_extend(&arguments, *more);
        if (r < 0)
                return r;
        return tool_run(&(Tool){ .arguments = arguments,
                                 .report = j->report,
                                 .home = home,
                                 .install = "gnupg" },
                        err);
}

/* Only the keys with these fingerprints go from one file to the other. */
static int take_keys(const SourceJob *j, const KeySource *k, const char *from, const char *to,
                     Error **err) {
        _cleanup_free_ char *home = text_format("%s.gnupg", to), *output = NULL;
        _cleanup_strv_ char **export = NULL;
        char *const import[] = { (char *) "--import", (char *) from, NULL };
        int r;

        if (!home)
                return -ENOMEM;
        if (mkdir(home, 0700) < 0 && errno != EEXIST)
                return negative_errno();
        r = run_gpg(j, home, import, err);
        if (r < 0)
                return r;
        output = text_format("--output=%s", to);
        r = output ? strv_extend(&export, output) : -ENOMEM;
        if (r >= 0)
                r = strv_extend(&export, "--armor");
        if (r >= 0)
                r = strv_extend(&export, "--export");
        for (char *const *f = k->fingerprints; r >= 0 && *f; f++)
                r = strv_extendf(&export, "0x%s", *f);
        if (r < 0)
                return r;
        return run_gpg(j, home, export, err);
}

static int fetch_keys(const SourceJob *j, const KeySource *k, const char *url, char **ret_path,
                      Error **err) {
        _cleanup_free_ char *from = NULL, *to = NULL;
        char hash[BASE_KEY_LENGTH + 1];
        int r;

        sha256_text(url, strlen(url), hash);
        from = text_format("%s/%.16s.download", j->work, hash);
        to = text_format("%s/%.16s.asc", j->work, hash);
        if (!from || !to)
                return -ENOMEM;
        if (access(to, F_OK) < 0) {
                r = fetch_file(j, url, true, from, err);
                if (r >= 0)
                        r = take_keys(j, k, from, to, err);
                if (r < 0)
                        return error_prefix(err, "key of %s, %s", k->what, url);
        }
        if (access(to, F_OK) < 0)
                return error_set(err, EKEYREJECTED,
                                 "%s has no key with the fingerprint that is known of %s; do not "
                                 "trust it",
                                 url, k->what);
        *ret_path = TAKE_PTR(to);
        return 0;
}

int key_find(const SourceJob *j, const KeySource *k, char **ret_path, Error **err) {
        _cleanup_free_ char *paths = NULL;
        int r = -ENOKEY;

        for (char *const *p = k->paths; p && *p; p++)
                if (access(*p, R_OK) == 0) {
                        *ret_path = strdup(*p);
                        return *ret_path ? 0 : -ENOMEM;
                }
        for (char *const *u = k->urls; k->fingerprints && u && *u; u++) {
                r = fetch_keys(j, k, *u, ret_path, err);
                if (r >= 0)
                        return r;
        }
        if (r != -ENOKEY)
                return k->hint ? error_prefix(err, "%s Or", k->hint) : r;
        paths = strv_join(k->paths, ", ");
        return error_set(err, ENOKEY, "there is no key of %s on this host%s%s%s%s", k->what,
                         isempty(paths) ? "" : "; looked for: ", paths ? paths : "",
                         k->hint ? ". " : "", k->hint ? k->hint : "");
}

int key_of_definition(const SourceJob *j, const RepositoryDef *d, char **ret_path, Error **err) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (d->key[0] == '/') {
                if (access(d->key, R_OK) < 0)
                        return error_set(err, errno, "the key of repository %s, %s: %s", d->id,
                                         d->key, strerror(errno));
                *ret_path = strdup(d->key);
                return *ret_path ? 0 : -ENOMEM;
        }
        if (!startswith(d->key, "https://"))
                return error_set(err, EINVAL,
                                 "the key of repository %s is a path or comes from https://, not "
                                 "'%s'",
                                 d->id, d->key);
        path = text_format("%s/%s.key", j->work, d->id);
        if (!path)
                return -ENOMEM;
        r = fetch_file(j, d->key, true, path, err);
        if (r < 0)
                return error_prefix(err, "key of repository %s", d->id);
        *ret_path = TAKE_PTR(path);
        return 0;
}

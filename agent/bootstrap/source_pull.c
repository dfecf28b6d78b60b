/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Images of a server. systemd-importd pulls and verifies them; it makes an image with a name in the
 * pool, which is moved from there to where the job builds. Where the definition has the SHA-256
 * itself, which importd cannot be told, the file is fetched and checked here.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "agent/bootstrap/fetch.h"
#include "agent/bootstrap/import_client.h"
#include "agent/bootstrap/source_file.h"
#include "agent/pool/tree_remove.h"
#include "base/fileio.h"
#include "units/text.h"

DEFINE_CLEANUP(DIR *, closedir)

static bool is_raw(const SourceJob *j) {
        return j->bootstrap->type == BOOTSTRAP_PULL_RAW;
}

/* True if importd has kept it for itself for this URL: no volume of anybody. */
static bool is_hidden_copy(const char *name, const char *hidden, bool raw) {
        const char *rest = startswith(name, hidden);

        if (!rest)
                return false;
        return !*rest || *rest == '.' || (raw && streq(rest, ".raw"));
}

static int list_hidden(const SourceJob *j, char ***ret) {
        _cleanup_free_ char *hidden = import_hidden_name(j->bootstrap->source, is_raw(j));
        _cleanup_strv_ char **names = NULL;
        int fd = openat(j->pool->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!dir || !hidden)
                return -ENOMEM;
        while ((entry = readdir(dir)))
                if (is_hidden_copy(entry->d_name, hidden, is_raw(j))) {
                        int r = strv_extend(&names, entry->d_name);

                        if (r < 0)
                                return r;
                }
        *ret = TAKE_PTR(names);
        return 0;
}

static void remove_hidden(const SourceJob *j) {
        _cleanup_strv_ char **names = NULL;

        if (list_hidden(j, &names) < 0)
                return;
        STRV_FOREACH(n, names)
                (void) tree_remove(j->pool->fd, *n, NULL, NULL);
}

/* Image and everything that importd has put beside it: settings above all, which a stranger has
 * written. */
static void clean(SourceJob *j) {
        static const char *const suffixes[] = { "",          ".raw",          ".nspawn",
                                                ".roothash", ".roothash.p7s", ".verity",
                                                ".usrhash" };

        if (j->bootstrap->sha256)
                return;
        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
                _cleanup_free_ char *name =
                        text_format(POOL_IMPORT_PREFIX "%s%s", j->id, suffixes[i]);

                if (name && faccessat(j->pool->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        (void) tree_remove(j->pool->fd, name, NULL, NULL);
        }
        remove_hidden(j);
}

static int take_over(const SourceJob *j, const char *name, Error **err) {
        _cleanup_free_ char *file = text_format("%s%s", name, is_raw(j) ? ".raw" : "");
        struct stat st;

        if (!file)
                return -ENOMEM;
        if (fstatat(j->pool->fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set(err, errno, "systemd-importd has made no image %s: %s", file,
                                 strerror(errno));
        if (is_raw(j) ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode))
                return error_set(err, EBADMSG, "systemd-importd has made something else of %s",
                                 file);
        if (renameat2(j->pool->fd, file, j->new_fd, j->id, RENAME_NOREPLACE) < 0)
                return negative_errno();
        return 0;
}

/* For whoever cleans up after a job that was killed. */
static int write_record(const SourceJob *j) {
        _cleanup_free_ char *hidden = import_hidden_name(j->bootstrap->source, is_raw(j));
        _cleanup_free_ char *path = NULL;

        return hidden ? source_write_work(j, POOL_IMPORT_RECORD, hidden, &path) : -ENOMEM;
}

static int pull(const SourceJob *j, Error **err) {
        _cleanup_free_ char *name = text_format(POOL_IMPORT_PREFIX "%s", j->id);
        const ImportPull p = { is_raw(j), j->bootstrap->source, name,
                               bootstrap_verify_to_string(j->bootstrap->verify), j->report };
        int r;

        if (!name)
                return -ENOMEM;
        if (!streq(j->pool->path, POOL_PATH))
                return error_set(err, EOPNOTSUPP, "systemd-importd pulls into " POOL_PATH " only");
        remove_hidden(j);
        r = write_record(j);
        if (r < 0)
                return error_set(err, -r, "%s cannot be written to: %s", j->work, strerror(-r));
        r = import_pull(&p, err);
        return r < 0 ? r : take_over(j, name, err);
}

static int fetch(SourceJob *j, Error **err) {
        _cleanup_free_ char *path = text_format("%s/download", j->work);
        int r;

        if (!path)
                return -ENOMEM;
        r = fetch_file(j, j->bootstrap->source, false, path, err);
        if (r < 0)
                return r;
        if (is_raw(j))
                return source_raw_copy(j, path, err);
        r = j->pool->backend->create(j->new_fd, j->id);
        if (r < 0)
                return r;
        j->root_fd = openat(j->new_fd, j->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return j->root_fd < 0 ? negative_errno() : source_tar_unpack(j, path, err);
}

static int fill(SourceJob *j, Error **err) {
        const char *url = j->bootstrap->source;

        if (j->bootstrap->sha256 && is_raw(j) && !endswith(url, ".raw"))
                return error_set(err, EOPNOTSUPP,
                                 "a compressed image is pulled with <ct:verify mode='checksum'/> "
                                 "or 'signature', not with sha256=");
        return j->bootstrap->sha256 ? fetch(j, err) : pull(j, err);
}

const RootSource source_pull_tar = {
        .type = BOOTSTRAP_PULL_TAR,
        .stage = "Pulling the archive",
        .cached = true,
        .fill = fill,
        .clean = clean,
};

const RootSource source_pull_raw = {
        .type = BOOTSTRAP_PULL_RAW,
        .stage = "Pulling the image",
        .cached = true,
        .is_image = true,
        .fill = fill,
        .clean = clean,
};

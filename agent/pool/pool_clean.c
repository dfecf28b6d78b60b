/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/pool_intent.h"
#include "agent/pool/volume_place.h"
#include "base/fileio.h"
#include "units/dir_list.h"
#include "units/text.h"

#define RECORD_MAX 4096
/* What systemd's tempfn_random() puts before a name and behind it. */
#define UNFINISHED_PREFIX ".#"
#define UNFINISHED_DIGITS 16

/* Job "ab12" may build more than one thing: "ab12", "ab12-layer", "ab12.part". */
static char *id_of(const char *entry) {
        return strndup(entry, strcspn(entry, "-."));
}

/* The first error counts; the others must not keep the rest from being removed. */
static void note(int r, int *result, Error *problem, Error **err) {
        if (r < 0 && *result >= 0) {
                *result = r;
                if (err && !*err && problem) {
                        *err = problem;
                        return;
                }
        }
        error_free(problem);
}

static int clean_one(const Pool *p, int fd, const char *entry, const TreeProgress *progress,
                     int *result, Error **err) {
        Error *problem = NULL;
        int r;

        r = p->backend->remove(fd, entry, progress, &problem);
        if (r == -ENOENT)
                r = 0;
        note(r, result, problem, err);
        return r;
}

static int clean_trash(const Pool *p, const TreeProgress *progress, int *result, Error **err) {
        _cleanup_close_ int fd = pool_folder(p, POOL_TRASH, err);
        _cleanup_strv_ char **entries = NULL;
        int r;

        r = fd < 0 ? fd : dir_list_fd(fd, &entries);
        STRV_FOREACH(entry, entries)
                if (clean_one(p, fd, *entry, progress, result, err) == -ECANCELED)
                        return -ECANCELED;
        return r;
}

/*
 * What systemd-importd keeps for itself
 */

/* With an ETag, or not finished. */
static bool is_recorded(const char *name, const char *record) {
        const char *unfinished = startswith(name, UNFINISHED_PREFIX);
        const char *rest = startswith(unfinished ? unfinished : name, record);

        if (!rest)
                return false;
        return !*rest || *rest == '.' ||
               (unfinished && strspn(rest, "0123456789abcdef") == UNFINISHED_DIGITS);
}

static bool record_is_valid(const char *record) {
        return (startswith(record, ".tar-") || startswith(record, ".raw-")) &&
               !strchr(record, '/') && strlen(record) > strlen(".tar-");
}

static int clean_recorded(const Pool *p, int new_fd, const char *entry,
                          const TreeProgress *progress, int *result, Error **err) {
        _cleanup_free_ char *path = NULL, *record = NULL;
        _cleanup_strv_ char **names = NULL;
        size_t size;
        int r;

        if (!endswith(entry, POOL_WORK_SUFFIX))
                return 0;
        path = text_format("%s/" POOL_IMPORT_RECORD, entry);
        if (!path)
                return -ENOMEM;
        r = read_file_at(new_fd, path, RECORD_MAX, false, &record, &size);
        if (r < 0 || !record_is_valid(record))
                return r == -ENOMEM ? r : 0;
        r = dir_list_fd(p->fd, &names);
        STRV_FOREACH(name, names)
                if (r >= 0 && is_recorded(*name, record))
                        r = clean_one(p, p->fd, *name, progress, result, err);
        return r == -ECANCELED || r == -ENOMEM ? r : 0;
}

/* Those entries of a folder whose names begin with prefix and the ID of a job that is no more. */
static int clean_jobs(const Pool *p, int fd, const char *prefix,
                      bool (*keep)(void *userdata, const char *id), void *userdata,
                      const TreeProgress *progress, char ***removed, int *result, Error **err) {
        _cleanup_strv_ char **entries = NULL;
        int r;

        r = dir_list_fd(fd, &entries);
        if (r < 0)
                return r;
        STRV_FOREACH(entry, entries) {
                const char *rest = startswith(*entry, prefix);
                _cleanup_free_ char *id = NULL;

                if (!rest)
                        continue;
                id = id_of(rest);
                if (!id)
                        return -ENOMEM;
                if (keep && keep(userdata, id))
                        continue;
                r = fd == p->fd ? 0 : clean_recorded(p, fd, *entry, progress, result, err);
                if (r >= 0)
                        r = clean_one(p, fd, *entry, progress, result, err);
                if (r == -ECANCELED)
                        return r;
                if (r >= 0 && !strv_contains(*removed, id) && strv_extend(removed, id) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int finish(const Pool *p, const char *id) {
        _cleanup_pool_intent_ PoolIntent intent = { 0 };
        int r;

        r = pool_intent_load(p, id, &intent, NULL);
        if (r == -ENOENT || r == -EINVAL)
                return 0;
        /* The agent's, which gives the container its definition back. */
        if (r >= 0 && intent.kind == POOL_INTENT_REVERT)
                return 0;
        if (r >= 0)
                r = volume_rename_finish(p, intent.from, intent.name, NULL);
        return r < 0 && r != -EBADMSG ? r : pool_intent_remove(p, id);
}

/* Or ".#ab12.…", which was being written. */
static int finish_intents(const Pool *p, bool (*keep)(void *userdata, const char *id),
                          void *userdata) {
        _cleanup_close_ int fd = pool_folder(p, POOL_INTENTS, NULL);
        _cleanup_strv_ char **entries = NULL;
        int r;

        r = fd < 0 ? fd : dir_list_fd(fd, &entries);
        STRV_FOREACH(entry, entries) {
                bool unfinished = is_temporary_name(*entry);
                _cleanup_free_ char *id = id_of(*entry + (unfinished ? 2 : 0));

                if (!id)
                        return -ENOMEM;
                if (r >= 0 && !(keep && keep(userdata, id)))
                        r = unfinished ? remove_file_at(fd, *entry) : finish(p, id);
        }
        return r;
}

int pool_clean(const Pool *p, bool (*keep)(void *userdata, const char *id), void *userdata,
               const TreeProgress *progress, char ***ret_removed, Error **err) {
        _cleanup_close_ int fd = pool_folder(p, POOL_NEW, err);
        _cleanup_strv_ char **removed = NULL;
        int r, result = 0;

        r = fd < 0 ? fd : finish_intents(p, keep, userdata);
        if (r >= 0)
                r = clean_jobs(p, fd, "", keep, userdata, progress, &removed, &result, err);
        if (r >= 0)
                r = clean_jobs(p, p->fd, POOL_IMPORT_PREFIX, keep, userdata, progress, &removed,
                               &result, err);
        if (r >= 0)
                r = clean_trash(p, progress, &result, err);
        if (ret_removed)
                *ret_removed = TAKE_PTR(removed);
        if (r < 0)
                return error_set(err, -r, "cannot clean the pool: %s", strerror(-r));
        return result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/pool_intent.h"

#include "agent/pool/snapshot.h"
#include "agent/pool/volume_place.h"
#include "base/fileio.h"
#include "units/dir_list.h"

#define INTENT_MAX 4096

static const char *const kind_names[] = {
        [POOL_INTENT_RENAME] = "rename",
        [POOL_INTENT_REVERT] = "revert",
};

void pool_intent_done(PoolIntent *i) {
        free(i->name);
        free(i->from);
        free(i->snapshot);
        free(i->tree);
        *i = (PoolIntent){ 0 };
}

static void print(FILE *f, const char *key, const char *value) {
        if (value)
                (void) fprintf(f, "%s=%s\n", key, value);
}

int pool_intent_format(const PoolIntent *i, char **ret, size_t *ret_size) {
        FILE *f = open_memstream(ret, ret_size);

        if (!f)
                return -ENOMEM;
        print(f, "KIND", kind_names[i->kind]);
        print(f, "NAME", i->name);
        print(f, "FROM", i->from);
        print(f, "SNAPSHOT", i->snapshot);
        print(f, "TREE", i->tree);
        return fclose(f) != 0 ? -ENOMEM : 0;
}

/* The folder, for the file of that job. */
static int open_folder(const Pool *p, const char *id, Error **err) {
        int r = volume_require_id(id, err);

        return r < 0 ? r : pool_folder(p, POOL_INTENTS, err);
}

int pool_intent_save(const Pool *p, const char *id, const PoolIntent *i, Error **err) {
        _cleanup_close_ int fd = open_folder(p, id, err);
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        if (fd < 0)
                return fd;
        r = pool_intent_format(i, &text, &size);
        if (r >= 0)
                r = write_file_at(fd, id, text, size, 0600, WRITE_SYNC);
        return r < 0 ? error_set(err, -r, "cannot write '%s/" POOL_INTENTS "/%s': %s", p->path, id,
                                 strerror(-r))
                     : 0;
}

static int take_kind(const char *value, PoolIntentKind *ret) {
        for (size_t i = 0; i < ELEMENTSOF(kind_names); i++)
                if (streq(value, kind_names[i])) {
                        *ret = (PoolIntentKind) i;
                        return 0;
                }
        return -EBADMSG;
}

static int take_text(const char *value, bool valid, char **field) {
        if (*field || !valid)
                return -EBADMSG;
        *field = strdup(value);
        return *field ? 0 : -ENOMEM;
}

static int take(const char *key, const char *value, PoolIntent *i, bool *has_kind) {
        if (streq(key, "KIND")) {
                *has_kind = true;
                return take_kind(value, &i->kind);
        }
        if (streq(key, "NAME"))
                return take_text(value, volume_name_is_valid(value), &i->name);
        if (streq(key, "FROM"))
                return take_text(value, volume_name_is_valid(value), &i->from);
        if (streq(key, "SNAPSHOT"))
                return take_text(value, snapshot_name_is_valid(value), &i->snapshot);
        if (streq(key, "TREE"))
                return take_text(value, *value != '\0', &i->tree);
        return -EBADMSG;
}

static int parse(char *text, PoolIntent *i) {
        bool has_kind = false;
        char *line, *rest = text;

        while ((line = strsep(&rest, "\n"))) {
                char *equals = strchr(line, '=');
                int r;

                if (!*line)
                        continue;
                if (!equals)
                        return -EBADMSG;
                *equals = '\0';
                r = take(line, equals + 1, i, &has_kind);
                if (r < 0)
                        return r;
        }
        if (!has_kind || !i->name)
                return -EBADMSG;
        if (i->kind == POOL_INTENT_RENAME ? !i->from : !i->snapshot || !i->tree)
                return -EBADMSG;
        return 0;
}

int pool_intent_parse(const char *text, size_t size, PoolIntent *ret) {
        _cleanup_free_ char *copy = strndup(text, size);
        _cleanup_pool_intent_ PoolIntent i = { 0 };
        int r;

        if (!copy)
                return -ENOMEM;
        r = strlen(copy) == size ? parse(copy, &i) : -EBADMSG;
        if (r < 0)
                return r;
        *ret = i;
        i = (PoolIntent){ 0 };
        return 0;
}

int pool_intent_load(const Pool *p, const char *id, PoolIntent *ret, Error **err) {
        _cleanup_close_ int fd = open_folder(p, id, err);
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        if (fd < 0)
                return fd;
        r = read_file_at(fd, id, INTENT_MAX, false, &text, &size);
        if (r >= 0)
                r = pool_intent_parse(text, size, ret);
        if (r < 0)
                return error_set(err, -r, "'%s/" POOL_INTENTS "/%s': %s", p->path, id,
                                 r == -EBADMSG ? "not understood" : strerror(-r));
        return 0;
}

int pool_intent_remove(const Pool *p, const char *id) {
        _cleanup_close_ int fd = pool_folder(p, POOL_INTENTS, NULL);
        int r = fd < 0 ? fd : remove_file_at(fd, id);

        return r < 0 ? r : 0;
}

int pool_intent_list(const Pool *p, char ***ret) {
        _cleanup_close_ int fd = pool_folder(p, POOL_INTENTS, NULL);
        _cleanup_strv_ char **names = NULL, **ids = NULL;
        int r;

        r = fd < 0 ? fd : dir_list_fd(fd, &names);
        STRV_FOREACH(name, names)
                if (r >= 0 && volume_require_id(*name, NULL) >= 0)
                        r = strv_extend(&ids, *name);
        if (r >= 0)
                *ret = TAKE_PTR(ids);
        return r;
}

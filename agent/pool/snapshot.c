/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A snapshot is made with the document first and the root last, and deleted with the root first: so
 * it is there when its root is, and what a crash leaves is a document without one.
 */

#include "agent/pool/snapshot.h"

#include <fcntl.h>
#include <time.h>

#include "agent/pool/beneath.h"
#include "agent/pool/pool_intent.h"
#include "agent/pool/volume_place.h"
#include "base/fileio.h"
#include "units/dir_list.h"
#include "units/text.h"

#define DOCUMENT_SUFFIX ".xml"

void snapshot_list_done(SnapshotList *l) {
        for (size_t i = 0; i < l->n_items; i++)
                snapshot_done(&l->items[i]);
        free(l->items);
        *l = (SnapshotList){ 0 };
}

/* The folder of a container's snapshots; -ENOENT if it has none and create is false. */
static int open_folder(const Pool *p, const char *container, bool create, Error **err) {
        _cleanup_close_ int all = -1;
        int fd;

        if (!volume_name_is_valid(container))
                return error_set(err, EINVAL, "'%s' cannot be the name of a volume", container);
        all = pool_folder(p, POOL_SNAPSHOTS, err);
        if (all < 0)
                return all;
        if (create && mkdirat(all, container, 0700) < 0 && errno != EEXIST)
                return error_set(err, errno, "cannot make '%s/" POOL_SNAPSHOTS "/%s': %s", p->path,
                                 container, strerror(errno));
        fd = beneath_open(all, container, O_RDONLY | O_DIRECTORY);
        if (fd == -ENOENT)
                return error_set(err, ENOENT, "'%s' has no snapshots", container);
        if (fd < 0)
                return error_set(err, -fd, "cannot open '%s/" POOL_SNAPSHOTS "/%s': %s", p->path,
                                 container, strerror(-fd));
        return fd;
}

static int require_name(const char *name, Error **err) {
        if (snapshot_name_is_valid(name))
                return 0;
        return error_set(err, EINVAL,
                         "'%s' cannot be the name of a snapshot: 1 to %d letters, digits and "
                         "'-_.:+' can, not beginning with '.' or '-', nor ending in '.xml'",
                         name ? name : "", SNAPSHOT_NAME_MAX);
}

static bool is_there(int fd, const char *name) {
        struct statx st;

        return beneath_stat(fd, name, &st) >= 0;
}

static int read_document(int fd, const char *name, Snapshot *ret, Error **err) {
        _cleanup_free_ char *file = text_format("%s" DOCUMENT_SUFFIX, name), *text = NULL;
        size_t size;
        int r;

        if (!file)
                return -ENOMEM;
        r = read_file_at(fd, file, SNAPSHOT_XML_MAX, false, &text, &size);
        if (r < 0)
                return error_set(err, -r, "cannot read '%s': %s", file, strerror(-r));
        r = snapshot_parse(text, size, file, ret, err);
        if (r < 0)
                return r;
        if (!streq(ret->name, name)) {
                r = error_set(err, EBADMSG, "'%s' is the document of snapshot '%s'", file,
                              ret->name);
                snapshot_done(ret);
                return r;
        }
        return 0;
}

/*
 * Reading
 */

/* The fd of the folder that it is in. */
static int open_snapshot(const Pool *p, const char *container, const char *name, Error **err) {
        _cleanup_close_ int fd = -1;
        int r;

        r = require_name(name, err);
        if (r >= 0)
                r = fd = open_folder(p, container, false, err);
        if (r < 0)
                return r;
        if (!is_there(fd, name))
                return error_set(err, ENOENT, "'%s' has no snapshot '%s'", container, name);
        return TAKE_FD(fd);
}

int snapshot_find(const Pool *p, const char *container, const char *name, Error **err) {
        _cleanup_close_ int fd = open_snapshot(p, container, name, err);

        return fd < 0 ? fd : 0;
}

int snapshot_any(const Pool *p, const char *container, Error **err) {
        _cleanup_close_ int fd = open_folder(p, container, false, NULL);
        _cleanup_strv_ char **names = NULL;
        int r;

        if (fd == -ENOENT)
                return 0;
        r = fd < 0 ? fd : dir_list_fd(fd, &names);
        if (r < 0)
                return error_set(err, -r, "cannot read the snapshots of '%s': %s", container,
                                 strerror(-r));
        return names != NULL;
}

int snapshot_get(const Pool *p, const char *container, const char *name, Snapshot *ret,
                 Error **err) {
        _cleanup_close_ int fd = open_snapshot(p, container, name, err);

        if (fd < 0)
                return fd;
        return read_document(fd, name, ret, err);
}

static int compare(const void *a, const void *b) {
        const Snapshot *x = a, *y = b;

        if (x->created_usec != y->created_usec)
                return x->created_usec < y->created_usec ? -1 : 1;
        return strcmp(x->name, y->name);
}

static int append(SnapshotList *l, int fd, const char *name) {
        Snapshot *grown;
        int r;

        grown = reallocarray(l->items, l->n_items + 1, sizeof(Snapshot));
        if (!grown)
                return -ENOMEM;
        l->items = grown;
        r = read_document(fd, name, &grown[l->n_items], NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        l->n_items++;
        return 0;
}

int snapshot_list(const Pool *p, const char *container, SnapshotList *ret) {
        _cleanup_snapshot_list_ SnapshotList l = { 0 };
        _cleanup_strv_ char **names = NULL;
        _cleanup_close_ int fd = open_folder(p, container, false, NULL);
        int r = 0;

        if (fd >= 0)
                r = dir_list_fd(fd, &names);
        else if (fd != -ENOENT)
                return fd;
        STRV_FOREACH(name, names) {
                if (r >= 0 && snapshot_name_is_valid(*name))
                        r = append(&l, fd, *name);
        }
        if (r < 0)
                return r;
        if (l.n_items > 0)
                qsort(l.items, l.n_items, sizeof(Snapshot), compare);
        *ret = l;
        l = (SnapshotList){ 0 };
        return 0;
}

/*
 * Making
 */

static int write_document(int fd, const Snapshot *s, Error **err) {
        _cleanup_free_ char *file = text_format("%s" DOCUMENT_SUFFIX, s->name), *text = NULL;
        Snapshot now = *s;
        int r;

        if (!file)
                return -ENOMEM;
        if (now.created_usec == 0) {
                struct timespec t;

                (void) clock_gettime(CLOCK_REALTIME, &t);
                now.created_usec = (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
        }
        r = snapshot_format(&now, &text, err);
        if (r < 0)
                return r;
        r = write_file_at(fd, file, text, strlen(text), 0600, WRITE_SYNC);
        if (r < 0)
                return error_set(err, -r, "cannot write '%s': %s", file, strerror(-r));
        return 0;
}

static void remove_document(int fd, const char *name) {
        _cleanup_free_ char *file = text_format("%s" DOCUMENT_SUFFIX, name);

        if (file)
                (void) remove_file_at(fd, file);
}

static int build(const Pool *p, const VolumePlace *place, int fd, const char *name, const char *id,
                 const TreeProgress *progress, Error **err) {
        _cleanup_close_ int new_fd = pool_folder(p, POOL_NEW, err);
        int r;

        if (new_fd < 0)
                return new_fd;
        if (place->type == VOLUME_RAW)
                r = volume_copy_image(p->fd, place->file, new_fd, id, progress, err);
        else
                r = p->backend->snapshot(p->fd, place->file, new_fd, id, true, progress, err);
        if (r >= 0 && !volume_snapshot_is_synced(p, p->fd, place->file))
                r = volume_sync_tree(new_fd, id, err);
        if (r < 0)
                return r;
        r = volume_move(p, new_fd, id, fd, name, RENAME_NOREPLACE);
        if (r >= 0 && fsync(fd) < 0)
                r = negative_errno();
        if (r < 0)
                return error_set(err, -r, "cannot give the snapshot '%s' its name: %s", name,
                                 strerror(-r));
        return 0;
}

static int take(const Pool *p, const VolumePlace *place, int fd, const char *name, const char *id,
                const TreeProgress *progress, Error **err) {
        int r;

        if (place->type != VOLUME_RAW && p->backend->snapshot_is_atomic &&
            p->backend->snapshot_is_atomic(p->fd, place->file))
                return p->backend->snapshot(p->fd, place->file, fd, name, true, progress, err);
        r = build(p, place, fd, name, id, progress, err);
        if (r < 0)
                volume_abandon(p, id);
        return r;
}

int snapshot_create(const Pool *p, const char *container, const Snapshot *s, const char *id,
                    const TreeProgress *progress, Error **err) {
        _cleanup_volume_place_ VolumePlace place = { 0 };
        _cleanup_close_ int fd = -1;
        int r;

        r = require_name(s->name, err);
        if (r >= 0)
                r = volume_require_id(id, err);
        if (r >= 0)
                r = volume_find(p, container, &place, err);
        if (r >= 0)
                r = fd = open_folder(p, container, true, err);
        if (r < 0)
                return r;
        if (is_there(fd, s->name))
                return error_set(err, EEXIST, "'%s' has a snapshot '%s' already", container,
                                 s->name);
        r = write_document(fd, s, err);
        if (r < 0)
                return r;
        r = take(p, &place, fd, s->name, id, progress, err);
        if (r < 0)
                remove_document(fd, s->name);
        return r;
}

/*
 * Going back, and deleting
 */

/* Before the root is exchanged: what is left to do then. */
static int note_definition(const Pool *p, int new_fd, const char *name, const char *container,
                           const char *id, Error **err) {
        PoolIntent intent = { .kind = POOL_INTENT_REVERT,
                              .name = (char *) container,
                              .snapshot = (char *) name };
        int r;

        r = volume_identity(p, new_fd, id, &intent.tree, err);
        if (r >= 0)
                r = pool_intent_save(p, id, &intent, err);
        free(intent.tree);
        return r;
}

static int restore(const Pool *p, int fd, const char *name, bool image, const char *container,
                   const char *id, bool definition, const TreeProgress *progress, Error **err) {
        _cleanup_volume_place_ VolumePlace now = { 0 };
        _cleanup_close_ int new_fd = pool_folder(p, POOL_NEW, err);
        int r;

        if (new_fd < 0)
                return new_fd;
        r = image ? volume_copy_image(fd, name, new_fd, id, progress, err)
                  : p->backend->snapshot(fd, name, new_fd, id, false, progress, err);
        if (r < 0)
                return r;
        /* A root that was deleted can be had back. */
        r = volume_find(p, container, &now, NULL);
        if (r >= 0 && !image && now.type != VOLUME_RAW)
                r = volume_copy_limit(p, p->fd, now.file, new_fd, id, err);
        if (r < 0 && r != -ENOENT)
                return error_set(err, -r, "cannot look at '%s': %s", container, strerror(-r));
        if (!volume_snapshot_is_synced(p, fd, name)) {
                r = volume_sync_tree(new_fd, id, err);
                if (r < 0)
                        return r;
        }
        r = definition ? note_definition(p, new_fd, name, container, id, err) : 0;
        if (r < 0)
                return r;
        return volume_publish_synced(p, id, image ? VOLUME_RAW : VOLUME_DIRECTORY, container, true,
                                     err);
}

int snapshot_revert(const Pool *p, const char *container, const char *name, const char *id,
                    bool definition, const TreeProgress *progress, Error **err) {
        _cleanup_close_ int fd = -1;
        struct statx st;
        int r;

        r = require_name(name, err);
        if (r >= 0)
                r = volume_require_id(id, err);
        if (r >= 0)
                r = fd = open_folder(p, container, false, err);
        if (r < 0)
                return r;
        r = beneath_stat(fd, name, &st);
        if (r < 0)
                return error_set(err, -r, "'%s' has no snapshot '%s'", container, name);
        r = restore(p, fd, name, S_ISREG(st.stx_mode), container, id, definition, progress, err);
        if (r < 0)
                volume_abandon(p, id);
        return r;
}

static void remove_folder_if_empty(const Pool *p, const char *container) {
        _cleanup_close_ int all = pool_folder(p, POOL_SNAPSHOTS, NULL);

        if (all >= 0)
                (void) unlinkat(all, container, AT_REMOVEDIR);
}

int snapshot_delete(const Pool *p, const char *container, const char *name, const char *id,
                    Error **err) {
        _cleanup_close_ int fd = -1;
        int r;

        r = volume_require_id(id, err);
        if (r >= 0)
                r = fd = open_snapshot(p, container, name, err);
        if (r >= 0)
                r = volume_trash(p, fd, name, id, err);
        if (r < 0)
                return r;
        remove_document(fd, name);
        if (fsync(fd) < 0)
                return error_set(err, errno, "cannot write the snapshots of '%s' to the disk: %s",
                                 container, strerror(errno));
        remove_folder_if_empty(p, container);
        return 0;
}

int snapshot_delete_all(const Pool *p, const char *container, const char *id, Error **err) {
        _cleanup_close_ int fd = -1;
        _cleanup_strv_ char **names = NULL;
        int r;

        r = volume_require_id(id, err);
        if (r < 0)
                return r;
        fd = open_folder(p, container, false, NULL);
        if (fd == -ENOENT)
                return 0;
        r = fd < 0 ? fd : dir_list_fd(fd, &names);
        if (r < 0)
                return error_set(err, -r, "cannot read the snapshots of '%s': %s", container,
                                 strerror(-r));
        /* Roots before documents: "a" sorts before "a.xml". */
        STRV_FOREACH(name, names) {
                r = volume_trash(p, fd, *name, id, err);
                if (r < 0)
                        return r;
        }
        remove_folder_if_empty(p, container);
        return strv_length(names) > 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/volume.h"

#include <fcntl.h>

#include "agent/pool/beneath.h"
#include "agent/pool/btrfs_subvolume.h"
#include "agent/pool/volume_place.h"
#include "units/dir_list.h"

#define BLOCK 512
#define WRITABLE (S_IWUSR | S_IWGRP | S_IWOTH)

void volume_done(Volume *v) {
        free(v->name);
        *v = (Volume){ 0 };
}

void volume_list_done(VolumeList *l) {
        for (size_t i = 0; i < l->n_items; i++)
                volume_done(&l->items[i]);
        free(l->items);
        *l = (VolumeList){ 0 };
}

static uint64_t usec_of(const struct statx_timestamp *t) {
        return (uint64_t) t->tv_sec * 1000000 + t->tv_nsec / 1000;
}

static void fill_image(const struct statx *st, Volume *v) {
        v->used = st->stx_blocks * BLOCK;
        v->limit = st->stx_size;
        v->read_only = !(st->stx_mode & WRITABLE);
}

static int fill_tree(const Pool *p, const char *file, Volume *v) {
        int r;

        r = p->backend->get_read_only(p->fd, file, &v->read_only);
        if (r < 0)
                return r;
        return p->backend->get_quota(p->fd, file, &v->used, &v->limit);
}

static void fill_created(const Pool *p, const char *file, const struct statx *st, Volume *v) {
        _cleanup_close_ int fd = -1;

        if (st->stx_mask & STATX_BTIME)
                v->created_usec = usec_of(&st->stx_btime);
        if (v->type != VOLUME_SUBVOLUME)
                return;
        fd = beneath_open(p->fd, file, O_RDONLY | O_DIRECTORY);
        if (fd >= 0)
                (void) btrfs_subvolume_created(fd, &v->created_usec);
}

int volume_get(const Pool *p, const char *name, Volume *ret, Error **err) {
        _cleanup_volume_place_ VolumePlace place = { 0 };
        _cleanup_volume_ Volume v = { 0 };
        struct statx st;
        int r;

        r = volume_find(p, name, &place, err);
        if (r < 0)
                return r;
        v.type = place.type;
        v.name = strdup(name);
        if (!v.name)
                return -ENOMEM;

        r = beneath_stat(p->fd, place.file, &st);
        if (r >= 0 && v.type == VOLUME_RAW)
                fill_image(&st, &v);
        else if (r >= 0)
                r = fill_tree(p, place.file, &v);
        if (r < 0)
                return error_set(err, -r, "cannot look at '%s/%s': %s", p->path, place.file,
                                 strerror(-r));
        fill_created(p, place.file, &st, &v);
        *ret = v;
        v = (Volume){ 0 };
        return 0;
}

static int append(const Pool *p, const char *name, VolumeList *l) {
        Volume *grown;
        int r;

        /* NAME and NAME.raw: the folder hides the image. */
        if (l->n_items > 0 && streq(l->items[l->n_items - 1].name, name))
                return 0;
        grown = reallocarray(l->items, l->n_items + 1, sizeof(Volume));
        if (!grown)
                return -ENOMEM;
        l->items = grown;
        r = volume_get(p, name, &grown[l->n_items], NULL);
        /* Symlinks and mounts, other files, what has gone meanwhile. */
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        l->n_items++;
        return 0;
}

int volume_list(const Pool *p, VolumeList *ret) {
        _cleanup_volume_list_ VolumeList l = { 0 };
        _cleanup_strv_ char **names = NULL;
        int r;

        r = dir_list_fd(p->fd, &names);
        if (r < 0)
                return r;
        STRV_FOREACH(name, names)
                if (endswith(*name, ".raw"))
                        (*name)[strlen(*name) - strlen(".raw")] = '\0';
        strv_sort(names);
        STRV_FOREACH(name, names) {
                if (!volume_name_is_valid(*name) || startswith(*name, POOL_IMPORT_PREFIX))
                        continue;
                r = append(p, *name, &l);
                if (r < 0)
                        return r;
        }
        *ret = l;
        l = (VolumeList){ 0 };
        return 0;
}

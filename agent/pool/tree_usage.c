/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/tree_usage.h"

#include "agent/pool/inode_table.h"
#include "agent/pool/tree_progress.h"
#include "agent/pool/tree_walk.h"

#define BLOCK 512 /* statx(2): the unit of stx_blocks */

typedef struct Usage {
        uint64_t bytes;
        InodeTable seen;
        const TreeProgress *progress;
} Usage;

static void usage_done(Usage *u) {
        inode_table_done(&u->seen);
}

static int count(void *userdata, const TreeEntry *e) {
        Usage *u = userdata;
        bool folder = S_ISDIR(e->st->stx_mode);
        int r;

        if (beneath_is_mount(e->st))
                return 0;
        if (!folder && e->st->stx_nlink > 1) {
                const char *first;

                r = inode_table_add(&u->seen, e->st, "", &first);
                if (r <= 0)
                        return r;
        }
        u->bytes += e->st->stx_blocks * BLOCK;
        r = tree_progress(u->progress, u->bytes, e->path);
        return r != 0 ? r : folder;
}

int tree_usage(int dir_fd, const char *name, const TreeProgress *progress, uint64_t *ret) {
        _cleanup_(usage_done) Usage u = { .progress = progress };
        _cleanup_close_ int fd = -1;
        struct statx st;
        int r;

        r = beneath_stat(dir_fd, name, &st);
        if (r < 0)
                return r;
        u.bytes = st.stx_blocks * BLOCK;
        if (S_ISDIR(st.stx_mode)) {
                fd = beneath_open(dir_fd, name, O_RDONLY | O_DIRECTORY);
                if (fd < 0)
                        return fd;
                r = tree_walk(fd, &(const TreeVisitor){ .entry = count }, &u, NULL);
                if (r < 0)
                        return r;
        }
        *ret = u.bytes;
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/archive_packer.h"

#include <dirent.h>
#include <fcntl.h>

#include "agent/pool/beneath.h"
#include "agent/pool/inode_table.h"
#include "agent/pool/node_meta.h"

#define CHUNK ((size_t) 256 * 1024)
/* A file in more pieces is written as if the rest had no holes. */
#define PIECES_MAX 100000

typedef struct Packer {
        ArchiveOutput *out;
        const TreeProgress *progress;
        InodeTable links;
        uint8_t *buffer; /* CHUNK */
        uint64_t n_read;
} Packer;

typedef struct Node {
        int fd;           /* O_PATH, borrowed */
        const char *path; /* in the archive */
        struct stat st;
} Node;

typedef struct NameList {
        struct dirent **items;
        int n_items;
} NameList;

static void name_list_done(NameList *l) {
        for (int i = 0; i < l->n_items; i++)
                free(l->items[i]);
        free(l->items);
}

DEFINE_CLEANUP(struct archive_entry *, archive_entry_free)

static int step(Packer *p, const char *path, Error **err) {
        int r = p->progress ? p->progress->step(p->progress->userdata, p->n_read, path) : 0;

        if (r == 0)
                return 0;
        if (r > 0 || r == -ECANCELED)
                return archive_error(err, ECANCELED, NULL, "canceled");
        return archive_error(err, -r, path, "not archived further: %s", strerror(-r));
}

static int is_real_name(const struct dirent *entry) {
        return !streq(entry->d_name, ".") && !streq(entry->d_name, "..");
}

/* Bytes, not what a locale says: the same tree is the same archive everywhere. */
static int compare_names(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int describe(const Node *n, struct archive_entry *entry, Error **err) {
        archive_entry_set_pathname(entry, n->path);
        archive_entry_set_mode(entry, n->st.st_mode);
        archive_entry_set_uid(entry, n->st.st_uid);
        archive_entry_set_gid(entry, n->st.st_gid);
        archive_entry_set_mtime(entry, n->st.st_mtim.tv_sec, n->st.st_mtim.tv_nsec);
        archive_entry_set_size(entry, S_ISREG(n->st.st_mode) ? n->st.st_size : 0);
        if (S_ISCHR(n->st.st_mode) || S_ISBLK(n->st.st_mode))
                archive_entry_set_rdev(entry, n->st.st_rdev);
        return node_read_xattrs(n->fd, entry, n->path, err);
}

/* Where the data of a file is. *ret_sparse: it has holes. */
static int find_pieces(int fd, const Node *n, struct archive_entry *entry, bool *ret_sparse) {
        off_t start = 0, end = 0, size = n->st.st_size;
        int n_pieces = 0;

        *ret_sparse = false;
        if (n->st.st_blocks * 512 >= size)
                return 0;
        while (end < size) {
                start = lseek(fd, end, SEEK_DATA);
                if (start < 0 && errno == ENXIO)
                        break;
                end = start < 0 ? -1 : lseek(fd, start, SEEK_HOLE);
                if (end < 0)
                        return negative_errno();
                if (start == 0 && end >= size)
                        return 0;
                if (++n_pieces >= PIECES_MAX || end > size)
                        end = size;
                archive_entry_sparse_add_entry(entry, start, end - start);
        }
        if (n_pieces == 0)
                archive_entry_sparse_add_entry(entry, 0, 0);
        *ret_sparse = true;
        return 0;
}

static int changed(const Node *n, Error **err) {
        return archive_error(err, ESTALE, n->path,
                             "it was changed while it was read: stop the container, or take a "
                             "snapshot and archive that");
}

/* libarchive wants zeros for holes, and leaves them out. */
static int write_hole(Packer *p, const Node *n, off_t size, Error **err) {
        static const uint8_t zeros[CHUNK];
        int r;

        for (; size > 0; size -= (off_t) CHUNK) {
                r = archive_output_data(p->out, zeros, size < (off_t) CHUNK ? (size_t) size : CHUNK,
                                        n->path, err);
                if (r >= 0)
                        r = step(p, n->path, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_piece(Packer *p, const Node *n, int fd, off_t start, off_t end, Error **err) {
        int r;

        while (start < end) {
                size_t want = end - start < (off_t) CHUNK ? (size_t) (end - start) : CHUNK;
                ssize_t got = pread(fd, p->buffer, want, start);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return archive_errno_error(err, n->path, "cannot be read");
                if (got == 0)
                        return changed(n, err);
                start += got;
                p->n_read += (uint64_t) got;
                r = archive_output_data(p->out, p->buffer, (size_t) got, n->path, err);
                if (r >= 0)
                        r = step(p, n->path, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_pieces(Packer *p, const Node *n, int fd, struct archive_entry *entry,
                        Error **err) {
        la_int64_t start, size;
        off_t at = 0;
        int r;

        (void) archive_entry_sparse_reset(entry);
        while (archive_entry_sparse_next(entry, &start, &size) == ARCHIVE_OK) {
                r = write_hole(p, n, start - at, err);
                if (r >= 0)
                        r = write_piece(p, n, fd, start, start + size, err);
                if (r < 0)
                        return r;
                at = start + size;
        }
        return write_hole(p, n, n->st.st_size - at, err);
}

static int pack_content(Packer *p, const Node *n, int fd, struct archive_entry *entry,
                        Error **err) {
        struct stat st;
        bool sparse;
        int r;

        r = find_pieces(fd, n, entry, &sparse);
        if (r < 0)
                return archive_error(err, -r, n->path, "its holes: %s", strerror(-r));
        r = archive_output_header(p->out, entry, err);
        if (r >= 0)
                r = sparse ? write_pieces(p, n, fd, entry, err)
                           : write_piece(p, n, fd, 0, n->st.st_size, err);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return archive_errno_error(err, n->path, "cannot be read");
        if (st.st_size != n->st.st_size || st.st_mtim.tv_sec != n->st.st_mtim.tv_sec ||
            st.st_mtim.tv_nsec != n->st.st_mtim.tv_nsec)
                return changed(n, err);
        return archive_output_end_entry(p->out, n->path, err);
}

/* *ret is the name under which the file is in the archive already; NULL: not yet. */
static int find_first(Packer *p, const Node *n, const char **ret, Error **err) {
        struct statx st;
        int r;

        *ret = NULL;
        if (n->st.st_nlink < 2)
                return 0;
        r = beneath_stat(n->fd, "", &st);
        if (r >= 0)
                r = inode_table_add(&p->links, &st, n->path, ret);
        return r < 0 ? archive_error(err, -r, n->path, "cannot be read: %s", strerror(-r)) : 0;
}

static int pack_regular(Packer *p, const Node *n, struct archive_entry *entry, Error **err) {
        _cleanup_close_ int fd = -1;
        const char *first;
        int r;

        r = find_first(p, n, &first, err);
        if (r < 0)
                return r;
        if (first) {
                archive_entry_set_hardlink(entry, first);
                archive_entry_set_size(entry, 0);
                archive_entry_xattr_clear(entry);
                archive_entry_acl_clear(entry);
                return archive_output_header(p->out, entry, err);
        }
        fd = beneath_reopen(n->fd, O_RDONLY);
        if (fd < 0)
                return archive_error(err, -fd, n->path, "cannot be read: %s", strerror(-fd));
        return pack_content(p, n, fd, entry, err);
}

static int read_link(const Node *n, struct archive_entry *entry, Error **err) {
        _cleanup_free_ char *target = malloc((size_t) n->st.st_size + 2);
        ssize_t size;

        if (!target)
                return archive_error(err, ENOMEM, n->path, "out of memory");
        size = readlinkat(n->fd, "", target, (size_t) n->st.st_size + 1);
        if (size < 0)
                return archive_errno_error(err, n->path, "cannot be read");
        target[size] = '\0';
        archive_entry_set_symlink(entry, target);
        return 0;
}

static int pack_node(Packer *p, const Node *n, Error **err) {
        _cleanup_(archive_entry_freep) struct archive_entry *entry = archive_entry_new();
        int r;

        if (!entry)
                return archive_error(err, ENOMEM, n->path, "out of memory");
        r = step(p, n->path, err);
        if (r >= 0)
                r = describe(n, entry, err);
        if (r < 0)
                return r;
        if (S_ISREG(n->st.st_mode))
                return pack_regular(p, n, entry, err);
        if (S_ISLNK(n->st.st_mode))
                r = read_link(n, entry, err);
        return r < 0 ? r : archive_output_header(p->out, entry, err);
}

static int open_names(const Node *n, int *ret_fd, NameList *ret, Error **err) {
        int fd = beneath_reopen(n->fd, O_RDONLY | O_DIRECTORY), r;

        if (fd < 0)
                return archive_error(err, -fd, n->path, "the folder cannot be read: %s",
                                     strerror(-fd));
        *ret_fd = fd;
        r = scandirat(fd, ".", &ret->items, is_real_name, compare_names);
        if (r < 0)
                return archive_errno_error(err, n->path, "the folder cannot be read");
        ret->n_items = r;
        return 0;
}

typedef struct Child {
        Node node;
        int fd;
        char *path;
        bool is_mount;
} Child;

static void child_done(Child *c) {
        closep(&c->fd);
        free(c->path);
}

/* 0 for one that is left out: a socket, what is mounted over a file, what has gone meanwhile. */
static int open_child(int folder_fd, const char *folder, const char *name, Child *ret,
                      Error **err) {
        _cleanup_(child_done)
                Child c = { .fd = beneath_open(folder_fd, name, O_PATH | O_NOFOLLOW) };

        if (asprintf(&c.path, "%s%s", folder, name) < 0) {
                c.path = NULL;
                return archive_error(err, ENOMEM, NULL, "out of memory");
        }
        if (c.fd == -EXDEV) {
                c.is_mount = true;
                c.fd = openat(folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                if (c.fd < 0)
                        c.fd = negative_errno();
        }
        if (c.fd == -ENOENT)
                return 0;
        if (c.fd < 0)
                return archive_error(err, -c.fd, c.path, "cannot be opened: %s", strerror(-c.fd));
        if (fstat(c.fd, &c.node.st) < 0)
                return archive_errno_error(err, c.path, "cannot be read");
        if (S_ISSOCK(c.node.st.st_mode) || (c.is_mount && !S_ISDIR(c.node.st.st_mode)))
                return 0;
        c.node.fd = c.fd;
        c.node.path = c.path;
        *ret = c;
        c = (Child){ .fd = -1 };
        return 1;
}

/* A folder that has been archived: what is in it. folder is its name with a slash. */
static int pack_below(Packer *p, const Node *n, const char *folder, Error **err) {
        _cleanup_(name_list_done) NameList names = { 0 };
        _cleanup_close_ int fd = -1;
        int r;

        r = open_names(n, &fd, &names, err);
        for (int i = 0; r >= 0 && i < names.n_items; i++) {
                _cleanup_(child_done) Child c = { .fd = -1 };
                _cleanup_free_ char *below = NULL;

                r = open_child(fd, folder, names.items[i]->d_name, &c, err);
                if (r <= 0)
                        continue;
                r = pack_node(p, &c.node, err);
                if (r < 0 || c.is_mount || !S_ISDIR(c.node.st.st_mode))
                        continue;
                if (asprintf(&below, "%s/", c.path) < 0) {
                        below = NULL;
                        return archive_error(err, ENOMEM, c.path, "out of memory");
                }
                r = pack_below(p, &c.node, below, err);
        }
        return r < 0 ? r : 0;
}

static void packer_done(Packer *p) {
        inode_table_done(&p->links);
        free(p->buffer);
}

int archive_pack_tree(ArchiveOutput *out, int root_fd, const char *prefix,
                      const TreeProgress *progress, Error **err) {
        _cleanup_(packer_done) Packer p = { .out = out, .progress = progress };
        _cleanup_close_ int fd = openat(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        Node root = { .fd = fd, .path = isempty(prefix) ? "./" : prefix };
        int r;

        p.buffer = malloc(CHUNK);
        if (!p.buffer)
                return archive_error(err, ENOMEM, NULL, "out of memory");
        if (fd < 0 || fstat(fd, &root.st) < 0)
                return archive_errno_error(err, NULL, "the tree cannot be opened");
        r = pack_node(&p, &root, err);
        return r < 0 ? r : pack_below(&p, &root, prefix, err);
}

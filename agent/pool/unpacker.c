/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/unpacker.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

void unpacker_done(Unpacker *u) {
        tree_writer_done(&u->tree);
        later_folders_done(&u->folders);
}

static int count_bytes(Unpacker *u, uint64_t bytes, Error **err) {
        if (bytes > u->limits->bytes - u->n_bytes)
                return archive_error(err, EFBIG, u->in->entry,
                                     "the archive has more than %llu bytes of content",
                                     (unsigned long long) u->limits->bytes);
        u->n_bytes += bytes;
        return 0;
}

int unpacker_skipped(Unpacker *u, uint64_t bytes, Error **err) {
        return count_bytes(u, bytes, err);
}

static int write_at(int fd, const uint8_t *data, size_t size, uint64_t offset) {
        while (size > 0) {
                ssize_t n = pwrite(fd, data, size, (off_t) offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                data += n;
                size -= (size_t) n;
                offset += (uint64_t) n;
        }
        return 0;
}

static int write_content(Unpacker *u, struct archive_entry *entry, int fd, Error **err) {
        la_int64_t total = archive_entry_size(entry);
        uint64_t offset, end = 0;
        const void *data;
        size_t size;
        int r;

        while ((r = archive_input_data(u->in, entry, &data, &size, &offset, err)) > 0) {
                r = count_bytes(u, size, err);
                if (r < 0)
                        return r;
                r = write_at(fd, data, size, offset);
                if (r < 0)
                        return archive_error(err, -r, u->in->entry, "cannot be written: %s",
                                             strerror(-r));
                if (size > 0 && offset + size > end)
                        end = offset + size;
        }
        if (r < 0)
                return r;
        /* The hole at its end. */
        if (total > 0 && (uint64_t) total > end && ftruncate(fd, total) < 0)
                return archive_errno_error(err, u->in->entry, "its size cannot be set");
        return 0;
}

static int make_file(int folder_fd, const char *name, void *userdata) {
        int fd =
                openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        return fd < 0 ? negative_errno() : fd;
}

static int add_file(Unpacker *u, struct archive_entry *entry, const char *path, Error **err) {
        _cleanup_close_ int fd = tree_writer_make(&u->tree, path, make_file, NULL, err);
        int r;

        if (fd < 0)
                return fd;
        r = write_content(u, entry, fd, err);
        if (r < 0)
                return r;
        r = node_apply_owner(fd, entry, u->flags, err);
        return r < 0 ? r : node_apply_rest(fd, entry, err);
}

static int add_folder(Unpacker *u, struct archive_entry *entry, const char *path, Error **err) {
        _cleanup_close_ int fd = -1;
        int r;

        r = tree_writer_make_folder(&u->tree, path, &fd, err);
        if (r < 0)
                return r;
        r = node_apply_owner(fd, entry, u->flags, err);
        if (r < 0)
                return r;
        return later_folders_add(&u->folders, path, entry, err);
}

/* Symlinks, device nodes, fifos: made, and opened without being used. */
static int make_node(int folder_fd, const char *name, void *userdata) {
        struct archive_entry *entry = userdata;
        mode_t type = archive_entry_filetype(entry);
        dev_t device = type == AE_IFIFO ? 0
                                        : makedev(archive_entry_rdevmajor(entry),
                                                  archive_entry_rdevminor(entry));
        int fd;

        if (type == AE_IFLNK) {
                if (symlinkat(archive_entry_symlink(entry), folder_fd, name) < 0)
                        return negative_errno();
        } else if (mknodat(folder_fd, name, type | 0600, device) < 0)
                return negative_errno();
        fd = openat(folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? negative_errno() : fd;
}

static int add_node(Unpacker *u, struct archive_entry *entry, const char *path, Error **err) {
        _cleanup_close_ int fd = -1;
        int r;

        if (archive_entry_filetype(entry) == AE_IFLNK && isempty(archive_entry_symlink(entry)))
                return archive_error(err, EBADMSG, u->in->entry, "a symbolic link to nothing");
        fd = tree_writer_make(&u->tree, path, make_node, entry, err);
        if (fd < 0)
                return fd;
        r = node_apply_owner(fd, entry, u->flags, err);
        return r < 0 ? r : node_apply_rest(fd, entry, err);
}

static int add_link(Unpacker *u, const char *target, const char *path, Error **err) {
        const char *name = startswith(target, u->prefix);
        _cleanup_free_ char *target_path = NULL;
        int r;

        if (!name)
                return archive_error(err, EPERM, u->in->entry,
                                     "a hard link to outside of the tree");
        r = tree_path(name, &target_path, err);
        return r < 0 ? r : tree_writer_link(&u->tree, target_path, path, err);
}

static int add(Unpacker *u, struct archive_entry *entry, const char *path, Error **err) {
        const char *link = archive_entry_hardlink(entry);

        if (!link && archive_entry_filetype(entry) == AE_IFDIR)
                return add_folder(u, entry, path, err);
        if (streq(path, "."))
                return archive_error(err, EBADMSG, u->in->entry,
                                     "what stands for the tree itself is no folder");
        if (link)
                return add_link(u, link, path, err);
        switch (archive_entry_filetype(entry)) {
        case AE_IFREG:
                return add_file(u, entry, path, err);
        case AE_IFLNK:
        case AE_IFCHR:
        case AE_IFBLK:
        case AE_IFIFO:
                return add_node(u, entry, path, err);
        }
        return archive_error(err, EBADMSG, u->in->entry, "a file of a kind that is not known");
}

int unpacker_add(Unpacker *u, struct archive_entry *entry, const char *name, Error **err) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (u->n_entries++ >= u->limits->entries)
                return archive_error(err, EFBIG, u->in->entry,
                                     "the archive has more than %llu entries",
                                     (unsigned long long) u->limits->entries);
        if (!u->folders.file) {
                r = later_folders_open(&u->folders, u->tree.root_fd, err);
                if (r < 0)
                        return r;
        }
        r = tree_path(name, &path, err);
        return r < 0 ? r : add(u, entry, path, err);
}

int unpacker_finish(Unpacker *u, Error **err) {
        return later_folders_apply(&u->folders, &u->tree, err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/later_folders.h"

#include <archive.h>
#include <fcntl.h>

#include "agent/pool/archive_error.h"

#define FILE_NAME ".#ctvirt-folders"

/* Followed by path and ACLs. */
typedef struct Record {
        int64_t seconds;
        long nanoseconds;
        mode_t mode;
        size_t path_size;
        size_t access_size;
        size_t default_size;
} Record;

void later_folders_done(LaterFolders *l) {
        if (l->file)
                (void) fclose(l->file);
        l->file = NULL;
}

int later_folders_open(LaterFolders *l, int root_fd, Error **err) {
        int fd = openat(root_fd, FILE_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        0600);

        if (fd < 0)
                return archive_errno_error(err, NULL, "cannot make a temporary file in the tree");
        if (unlinkat(root_fd, FILE_NAME, 0) >= 0)
                l->file = fdopen(fd, "w+e");
        if (l->file)
                return 0;
        (void) close(fd);
        return archive_error(err, ENOMEM, NULL, "cannot make a temporary file in the tree");
}

static int put(FILE *f, const void *data, size_t size) {
        return size == 0 || fwrite(data, 1, size, f) == size ? 0 : negative_errno();
}

static int get(FILE *f, size_t size, char **ret) {
        _cleanup_free_ char *data = malloc(size + 1);

        if (!data)
                return -ENOMEM;
        if (fread(data, 1, size, f) != size)
                return ferror(f) ? negative_errno() : -EIO;
        data[size] = '\0';
        *ret = TAKE_PTR(data);
        return 0;
}

int later_folders_add(LaterFolders *l, const char *path, struct archive_entry *entry, Error **err) {
        _cleanup_node_acl_ NodeAcl access = { 0 }, inherited = { 0 };
        Record record;
        int r;

        r = node_acl_of_entry(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, &access, err);
        if (r < 0)
                return r;
        r = node_acl_of_entry(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, &inherited, err);
        if (r < 0)
                return r;
        record = (Record){
                .seconds = archive_entry_mtime(entry),
                .nanoseconds = archive_entry_mtime_nsec(entry),
                .mode = archive_entry_perm(entry),
                .path_size = strlen(path),
                .access_size = access.size,
                .default_size = inherited.size,
        };
        if (put(l->file, &record, sizeof(record)) < 0 || put(l->file, path, record.path_size) < 0 ||
            put(l->file, access.data, access.size) < 0 ||
            put(l->file, inherited.data, inherited.size) < 0)
                return archive_errno_error(err, path, "cannot write to a temporary file");
        return 0;
}

static int apply(TreeWriter *w, const char *path, const Record *record, NodeAcl *access,
                 NodeAcl *inherited, Error **err) {
        _cleanup_close_ int fd = tree_writer_open_folder(w, path);
        int r;

        if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
                return 0;
        if (fd < 0)
                return archive_error(err, -fd, path, "the folder: %s", strerror(-fd));
        r = node_chmod(fd, record->mode);
        if (r >= 0)
                r = node_acl_apply(fd, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, access);
        if (r >= 0)
                r = node_acl_apply(fd, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, inherited);
        if (r >= 0)
                r = node_set_mtime(fd, record->seconds, record->nanoseconds);
        return r < 0 ? archive_error(err, -r, path, "mode, ACL or time of the folder: %s",
                                     strerror(-r))
                     : 0;
}

static int read_acl(FILE *f, size_t size, NodeAcl *ret) {
        char *data = NULL;
        int r;

        r = size > 0 ? get(f, size, &data) : 0;
        if (r >= 0)
                *ret = (NodeAcl){ .data = data, .size = size };
        return r;
}

int later_folders_apply(LaterFolders *l, TreeWriter *w, Error **err) {
        Record record;
        int r = 0;

        if (!l->file)
                return 0;
        if (fflush(l->file) != 0 || fseeko(l->file, 0, SEEK_SET) < 0)
                return archive_errno_error(err, NULL, "cannot write to a temporary file");
        while (r >= 0 && fread(&record, sizeof(record), 1, l->file) == 1) {
                _cleanup_node_acl_ NodeAcl access = { 0 }, inherited = { 0 };
                _cleanup_free_ char *path = NULL;

                r = get(l->file, record.path_size, &path);
                if (r >= 0)
                        r = read_acl(l->file, record.access_size, &access);
                if (r >= 0)
                        r = read_acl(l->file, record.default_size, &inherited);
                if (r < 0)
                        return archive_error(err, -r, NULL, "cannot read a temporary file: %s",
                                             strerror(-r));
                r = apply(w, path, &record, &access, &inherited, err);
        }
        if (ferror(l->file))
                return archive_errno_error(err, NULL, "cannot read a temporary file");
        return r < 0 ? r : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/node_meta.h"

#include <archive.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include "agent/pool/archive_error.h"

/* The link to what fd refers to; the kernel does not follow a symlink behind it. */
typedef struct FdPath {
        char text[sizeof("/proc/self/fd/-2147483648")];
} FdPath;

static FdPath fd_path(int fd) {
        FdPath p;

        (void) snprintf(p.text, sizeof(p.text), "/proc/self/fd/%i", fd);
        return p;
}

int node_chmod(int fd, mode_t mode) {
        return chmod(fd_path(fd).text, mode & 07777) < 0 ? negative_errno() : 0;
}

int node_set_mtime(int fd, int64_t seconds, long nanoseconds) {
        const struct timespec times[] = {
                { .tv_nsec = UTIME_OMIT },
                { .tv_sec = seconds, .tv_nsec = nanoseconds },
        };

        return utimensat(fd, "", times, AT_EMPTY_PATH) < 0 ? negative_errno() : 0;
}

static const char *acl_xattr(int type) {
        return type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS ? "system.posix_acl_access"
                                                     : "system.posix_acl_default";
}

int node_acl_apply(int fd, int type, const NodeAcl *acl) {
        if (!acl->data)
                return 0;
        return setxattr(fd_path(fd).text, acl_xattr(type), acl->data, acl->size, 0) < 0
                       ? negative_errno()
                       : 0;
}

/* What security modules of the host wrote that made the archive means nothing here. */
static bool is_wanted(const char *name, UnpackFlags flags) {
        if (startswith(name, "security."))
                return streq(name, "security.capability") || (flags & UNPACK_LABELS);
        return startswith(name, "user.") || startswith(name, "trusted.");
}

static int apply_xattrs(int fd, struct archive_entry *entry, UnpackFlags flags, Error **err) {
        FdPath p = fd_path(fd);
        const char *name;
        const void *value;
        size_t size;

        (void) archive_entry_xattr_reset(entry);
        while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
                if (!is_wanted(name, flags))
                        continue;
                if (setxattr(p.text, name, value, size, 0) < 0) {
                        int code = errno;

                        return archive_error(err, code, archive_entry_pathname(entry),
                                             "its attribute %.100s cannot be kept: %s", name,
                                             strerror(code));
                }
        }
        return 0;
}

static bool id_is_valid(la_int64_t id) {
        return id >= 0 && id < UINT32_MAX;
}

int node_apply_owner(int fd, struct archive_entry *entry, UnpackFlags flags, Error **err) {
        la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
        const char *path = archive_entry_pathname(entry);

        if (!id_is_valid(uid) || !id_is_valid(gid))
                return archive_error(err, EBADMSG, path, "its owner %lli:%lli is no valid one",
                                     (long long) uid, (long long) gid);
        if (fchownat(fd, "", (uid_t) uid, (gid_t) gid, AT_EMPTY_PATH) < 0)
                return archive_errno_error(err, path, "its owner cannot be set");
        return apply_xattrs(fd, entry, flags, err);
}

int node_apply_rest(int fd, struct archive_entry *entry, Error **err) {
        const char *path = archive_entry_pathname(entry);
        _cleanup_node_acl_ NodeAcl acl = { 0 };
        int r;

        if (archive_entry_filetype(entry) != AE_IFLNK) {
                r = node_chmod(fd, archive_entry_perm(entry));
                if (r < 0)
                        return archive_error(err, -r, path, "its mode cannot be set: %s",
                                             strerror(-r));
                r = node_acl_of_entry(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, &acl, err);
                if (r < 0)
                        return r;
                r = node_acl_apply(fd, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, &acl);
                if (r < 0)
                        return archive_error(err, -r, path, "its ACL cannot be set: %s",
                                             strerror(-r));
        }
        r = node_set_mtime(fd, archive_entry_mtime(entry), archive_entry_mtime_nsec(entry));
        return r < 0 ? archive_error(err, -r, path, "its time cannot be set: %s", strerror(-r)) : 0;
}

/* *ret is NUL-terminated, and has *ret_size bytes before that; 0 if there is none. */
static int get_xattr(const FdPath *p, const char *name, char **ret, size_t *ret_size) {
        _cleanup_free_ char *value = NULL;
        ssize_t n, size;

        do {
                size = name ? getxattr(p->text, name, NULL, 0) : listxattr(p->text, NULL, 0);
                if (size < 0)
                        return errno == ENODATA ? 0 : negative_errno();
                free(value);
                value = malloc((size_t) size + 1);
                if (!value)
                        return -ENOMEM;
                n = name ? getxattr(p->text, name, value, (size_t) size)
                         : listxattr(p->text, value, (size_t) size);
                /* With size 0 it only tells how much there is. */
                if (size == 0 && n > 0)
                        n = -1, errno = ERANGE;
        } while (n < 0 && errno == ERANGE);
        if (n < 0)
                return errno == ENODATA ? 0 : negative_errno();
        value[n] = '\0';
        *ret = TAKE_PTR(value);
        *ret_size = (size_t) n;
        return 1;
}

static int add_xattr(struct archive_entry *entry, const char *name, const char *value, size_t size,
                     const char *path, Error **err) {
        int type = 0;

        if (streq(name, "system.posix_acl_access"))
                type = ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
        if (streq(name, "system.posix_acl_default"))
                type = ARCHIVE_ENTRY_ACL_TYPE_DEFAULT;
        if (type)
                return node_acl_to_entry(entry, type, value, size, path, err);
        if (startswith(name, "system."))
                return 0;
        /* In a pax header the name ends there. */
        if (strchr(name, '='))
                return archive_error(err, EINVAL, path,
                                     "an attribute with '=' in its name cannot be archived");
        archive_entry_xattr_add_entry(entry, name, value, size);
        return 0;
}

int node_read_xattrs(int fd, struct archive_entry *entry, const char *path, Error **err) {
        _cleanup_free_ char *names = NULL;
        size_t names_size, total = 0;
        FdPath p = fd_path(fd);
        int r;

        r = get_xattr(&p, NULL, &names, &names_size);
        if (r == -EOPNOTSUPP || r == 0)
                return 0;
        if (r < 0)
                return archive_error(err, -r, path, "its attributes: %s", strerror(-r));
        for (const char *name = names; name < names + names_size; name += strlen(name) + 1) {
                _cleanup_free_ char *value = NULL;
                size_t size = 0;

                r = get_xattr(&p, name, &value, &size);
                if (r < 0)
                        return archive_error(err, -r, path, "its attribute %.100s: %s", name,
                                             strerror(-r));
                if (r == 0)
                        continue;
                total += strlen(name) + size;
                if (total > NODE_XATTRS_MAX)
                        return archive_error(err, E2BIG, path, "it has too large attributes");
                r = add_xattr(entry, name, value, size, path, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

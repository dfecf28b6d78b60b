/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* shadow(5): the password is the second field, the day of the last change the third. */

#include <time.h>

#include "agent/bootstrap/first_boot_internal.h"

#define SHADOW "/etc/shadow"
#define LOCK "/etc/.pwd.lock"
#define SECONDS_A_DAY (24 * 60 * 60)

/* The line of a user; NULL if there is none. */
static const char *find_user(const char *text, const char *user) {
        size_t length = strlen(user);

        for (const char *line = text; *line;) {
                if (strncmp(line, user, length) == 0 && line[length] == ':')
                        return line;
                line += strcspn(line, "\n");
                line += *line ? 1 : 0;
        }
        return NULL;
}

/* The file with another hash, and today as the day of the change. */
static int replace_hash(const char *text, const char *line, const char *user, const char *hash,
                        char **ret) {
        long long day = (long long) time(NULL) / SECONDS_A_DAY;
        const char *rest = line + strlen(user) + 1;

        for (unsigned i = 0; i < 2; i++) {
                rest += strcspn(rest, ":\n");
                if (*rest != ':')
                        return -EBADMSG;
                rest++;
        }
        return asprintf(ret, "%.*s%s:%s:%lld:%s", (int) (line - text), text, user, hash, day,
                        rest) < 0
                       ? -ENOMEM
                       : 0;
}

static bool has_hash(const char *line, const char *user, const char *hash) {
        const char *field = line + strlen(user) + 1;
        size_t length = strlen(hash);

        return strncmp(field, hash, length) == 0 && field[length] == ':';
}

static int change(const RootTree *t, const char *user, const char *hash, Error **err) {
        _cleanup_free_ char *text = NULL, *changed = NULL;
        const char *line;
        struct stat st;
        int r;

        r = root_tree_read(t, SHADOW, ROOT_TREE_FILE_MAX, false, &text);
        if (r < 0)
                return root_tree_error(err, r, "read", SHADOW);
        r = root_tree_stat(t, SHADOW, &st);
        if (r < 0)
                return root_tree_error(err, r, "read", SHADOW);
        line = find_user(text, user);
        if (!line)
                return error_set(err, ENOENT, "There is no user '%s' in %s of the root tree", user,
                                 SHADOW);
        if (has_hash(line, user, hash))
                return 0;
        r = replace_hash(text, line, user, hash, &changed);
        if (r >= 0)
                r = root_tree_write(t, SHADOW, changed, st.st_mode,
                                    &(const RootOwner){ st.st_uid, st.st_gid });
        return r < 0 ? root_tree_error(err, r, "write", SHADOW) : 0;
}

/* What passwd and the others take, lckpwdf(3), for a container that runs; while its folder cannot be
 * written there is nothing to lock either. */
static int lock(const RootTree *t, Error **err) {
        struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        char path[sizeof("/proc/self/fd/") + 11];
        _cleanup_close_ int path_fd = -1, fd = -1;
        int r;

        path_fd = root_tree_open(t, LOCK, SIZE_MAX, false);
        if (path_fd == -ENOENT) {
                r = root_tree_write(t, LOCK, "", 0600, NULL);
                path_fd = r < 0 ? r : root_tree_open(t, LOCK, SIZE_MAX, false);
        }
        if (path_fd < 0)
                return root_tree_error(err, path_fd, "open", LOCK);
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return root_tree_error(err, negative_errno(), "open", LOCK);
        if (fcntl(fd, F_SETLK, &whole) < 0)
                return error_set(err, EBUSY,
                                 "The passwords of the root tree are being changed by somebody "
                                 "else (%s is locked); try again",
                                 LOCK);
        return TAKE_FD(fd);
}

/* By whom the top belongs to. */
static int tree_of(int root_fd, RootTree *ret) {
        struct stat st;

        if (fstat(root_fd, &st) < 0)
                return negative_errno();
        *ret = (RootTree){ .fd = root_fd, .shift = st.st_uid };
        return 0;
}

int first_boot_set_password(int root_fd, const char *user, const char *hash, Error **err) {
        _cleanup_close_ int lock_fd = -1;
        RootTree tree;
        int r;

        if (isempty(user) || strpbrk(user, ":\n/"))
                return error_set(err, EINVAL, "Not the name of a user");
        if (!password_hash_is_valid(hash))
                return error_set(err, EINVAL,
                                 "Not a password hash as crypt(5) makes it: $ID$SALT$HASH");
        r = tree_of(root_fd, &tree);
        if (r < 0)
                return error_set(err, -r, "Cannot look at the root tree: %s", strerror(-r));
        lock_fd = lock(&tree, err);
        return lock_fd < 0 ? lock_fd : change(&tree, user, hash, err);
}

int first_boot_password(FirstBoot *f) {
        return f->def->root_hash ? change(&f->tree, "root", f->def->root_hash, f->err) : 0;
}

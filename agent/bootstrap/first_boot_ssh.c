/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ~user/.ssh/authorized_keys as sshd(8) wants it: the folder 0700, the file 0600, both the user's. */

#include "agent/bootstrap/first_boot_internal.h"
#include "xml/container_def.h"

typedef struct User {
        RootOwner owner; /* on disk */
        char *home;
} User;

static void user_done(User *u) {
        free(u->home);
}

/* NAME:PASSWORD:UID:GID:GECOS:HOME:SHELL, cut up in place. */
static int parse_line(const FirstBoot *f, char *line, User *ret) {
        char *fields[7] = { NULL }, *end;
        unsigned long uid, gid;
        size_t n = 0;

        for (char *field; n < ELEMENTSOF(fields) && (field = strsep(&line, ":")); n++)
                fields[n] = field;
        if (n < 6 || fields[5][0] != '/')
                return -EBADMSG;
        errno = 0;
        uid = strtoul(fields[2], &end, 10);
        if (errno || end == fields[2] || *end || uid >= CONTAINER_UID_RANGE)
                return -EBADMSG;
        gid = strtoul(fields[3], &end, 10);
        if (errno || end == fields[3] || *end || gid >= CONTAINER_UID_RANGE)
                return -EBADMSG;
        ret->owner = (RootOwner){ f->tree.shift + (uid_t) uid, f->tree.shift + (gid_t) gid };
        ret->home = strdup(fields[5]);
        return ret->home ? 0 : -ENOMEM;
}

static int find_user(FirstBoot *f, const char *name, User *ret) {
        _cleanup_free_ char *text = NULL;
        size_t length = strlen(name);
        char *rest;
        int r;

        r = root_tree_read(&f->tree, "/etc/passwd", ROOT_TREE_FILE_MAX, true, &text);
        if (r < 0)
                return root_tree_error(f->err, r, "read", "/etc/passwd");
        rest = text;
        for (char *line; (line = strsep(&rest, "\n"));) {
                if (strncmp(line, name, length) != 0 || line[length] != ':')
                        continue;
                r = parse_line(f, line, ret);
                return r < 0 ? root_tree_error(f->err, r, "read", "/etc/passwd") : 0;
        }
        return error_set(f->err, ENOENT,
                         "There is no user '%s' in the root tree (/etc/passwd), so it gets no SSH "
                         "key",
                         name);
}

/* A folder that is new belongs to the user; one that is there must be a folder of the user's. */
static int make_folder(FirstBoot *f, const char *path, const User *user) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        bool is_new;
        int r;

        r = root_tree_stat(&f->tree, path, &st);
        if (r < 0 && r != -ENOENT)
                return r;
        is_new = r == -ENOENT;
        fd = root_tree_folder(&f->tree, path, true);
        if (fd < 0)
                return fd;
        if (is_new && (fchown(fd, user->owner.uid, user->owner.gid) < 0 || fchmod(fd, 0700) < 0))
                return negative_errno();
        return 0;
}

static bool has_line(const char *text, const char *line) {
        size_t length = strlen(line);

        for (const char *p = text; *p; p += *p ? 1 : 0) {
                if (strncmp(p, line, length) == 0 && (p[length] == '\n' || p[length] == '\0'))
                        return true;
                p += strcspn(p, "\n");
        }
        return false;
}

/* Behind the keys that are there. */
static int add_key(FirstBoot *f, const char *path, const char *key, const User *user) {
        _cleanup_free_ char *old = NULL, *text = NULL;
        int r;

        r = root_tree_read(&f->tree, path, ROOT_TREE_FILE_MAX, false, &old);
        if (r < 0 && r != -ENOENT)
                return root_tree_error(f->err, r, "read", path);
        if (old && has_line(old, key))
                return 0;
        if (asprintf(&text, "%s%s%s\n", old ? old : "",
                     !isempty(old) && !endswith(old, "\n") ? "\n" : "", key) < 0)
                return -ENOMEM;
        r = root_tree_write(&f->tree, path, text, 0600, &user->owner);
        return r < 0 ? root_tree_error(f->err, r, "write", path) : 0;
}

/* sshd follows a link, we do not: what it points to may be anybody's. */
static int refuse_link(FirstBoot *f, const char *path) {
        struct stat st;

        if (root_tree_stat(&f->tree, path, &st) < 0 || S_ISDIR(st.st_mode))
                return 0;
        return root_tree_error(f->err, S_ISLNK(st.st_mode) ? -ELOOP : -ENOTDIR, "write", path);
}

static int set_key(FirstBoot *f, const SshKeyDef *key) {
        _cleanup_free_ char *folder = NULL, *file = NULL;
        _cleanup_(user_done) User user = { 0 };
        size_t length;
        int r;

        r = find_user(f, key->user, &user);
        if (r < 0 || !user.home)
                return r;
        length = strlen(user.home);
        while (length > 0 && user.home[length - 1] == '/')
                user.home[--length] = '\0';
        if (asprintf(&folder, "%s/.ssh", user.home) < 0 ||
            asprintf(&file, "%s/authorized_keys", folder) < 0)
                return -ENOMEM;
        r = refuse_link(f, folder);
        if (r < 0)
                return r;
        r = *user.home ? make_folder(f, user.home, &user) : 0;
        if (r >= 0)
                r = make_folder(f, folder, &user);
        if (r < 0)
                return root_tree_error(f->err, r, "make", folder);
        return add_key(f, file, key->key, &user);
}

int first_boot_ssh_keys(FirstBoot *f) {
        for (size_t i = 0; i < f->def->n_ssh_keys; i++) {
                int r = set_key(f, &f->def->ssh_keys[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

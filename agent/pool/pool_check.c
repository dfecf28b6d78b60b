/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/pool_check.h"

#include <fcntl.h>
#include <stdarg.h>
#include <time.h>

#include "agent/pool/beneath.h"
#include "agent/pool/pool_backend.h"
#include "agent/pool/pool_build.h"
#include "agent/pool/pool_check_parts.h"
#include "agent/pool/snapshot.h"
#include "agent/pool/tree_remove.h"
#include "base/fileio.h"
#include "base/label.h"
#include "units/dir_list.h"
#include "units/text.h"

#define DAY_SECONDS (24 * 3600)

/* What others call things in the pool that are not finished (systemd's tempfn_random()). */
#define UNFINISHED_PREFIX ".#"

void pool_problem_list_done(PoolProblemList *l) {
        for (size_t i = 0; i < l->n_items; i++)
                free(l->items[i].text);
        free(l->items);
        *l = (PoolProblemList){ 0 };
}

static void check_done(PoolCheck *c) {
        closep(&c->fd);
        pool_problem_list_done(&c->mended);
        pool_problem_list_done(&c->left);
}

static int append(PoolProblemList *l, char *text, bool repairable) {
        PoolProblem *grown = reallocarray(l->items, l->n_items + 1, sizeof(PoolProblem));

        if (!grown) {
                free(text);
                return -ENOMEM;
        }
        l->items = grown;
        grown[l->n_items++] = (PoolProblem){ .text = text, .repairable = repairable };
        return 0;
}

int pool_check_problem(PoolCheck *c, bool repairable, int mended, const char *format, ...) {
        char *text;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;
        if (c->repair && repairable && mended >= 0)
                return append(&c->mended, text, true);
        if (c->repair && repairable && c->result >= 0)
                c->result = error_set(c->err, -mended, "%s This could not be mended: %s", text,
                                      strerror(-mended));
        return append(&c->left, text, repairable);
}

/*
 * The pool and our own folders
 */

static int mend_owner(const PoolCheck *c, int fd) {
        return c->repair && fchown(fd, geteuid(), getegid()) < 0 ? negative_errno() : 0;
}

static int mend_mode(const PoolCheck *c, int fd) {
        return c->repair && fchmod(fd, 0700) < 0 ? negative_errno() : 0;
}

static int check_access(PoolCheck *c, int fd, const char *path) {
        struct stat st;
        int r = 0;

        if (fstat(fd, &st) < 0)
                return negative_errno();
        if (st.st_uid != geteuid())
                r = pool_check_problem(
                        c, true, mend_owner(c, fd),
                        "'%s' belongs to user %u and not to root, so that user can exchange "
                        "the roots of containers.",
                        path, st.st_uid);
        if (r >= 0 && (st.st_mode & 07777) != 0700)
                r = pool_check_problem(
                        c, true, mend_mode(c, fd),
                        "'%s' has mode %04o instead of 0700: users of the host could reach "
                        "programs in the roots of containers that run with root's rights.",
                        path, st.st_mode & 07777u);
        return r;
}

static int check_label(PoolCheck *c, const char *path) {
        _cleanup_free_ char *is = NULL, *wanted = NULL;
        int r;

        r = label_check(path, &is, &wanted);
        if (r <= 0)
                return r;
        return pool_check_problem(c, true, c->repair ? label_restore(path) : 0,
                                  "'%s' has the SELinux label '%s' instead of '%s'.", path, is,
                                  wanted);
}

static int check_own_folder(PoolCheck *c, const char *folder) {
        _cleanup_free_ char *path = text_format("%s/%s", c->path, folder);
        _cleanup_close_ int fd = beneath_open(c->fd, folder, O_RDONLY | O_DIRECTORY);

        if (!path)
                return -ENOMEM;
        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return pool_check_problem(
                        c, false, 0,
                        "'%s' must be a folder in the pool (%s): nothing can be made or "
                        "deleted in the pool; move away what is there.",
                        path, strerror(-fd));
        return check_access(c, fd, path);
}

static bool is_mount_point(const char *path) {
        struct statx st;

        return statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st) >= 0 && beneath_is_mount(&st);
}

/* The unit may come with systemd (systemd-container of Debian 12), for an image that is mostly not
 * there; then it does nothing. */
static int check_mounted(PoolCheck *c, const char *root) {
        _cleanup_free_ char *unit = text_format("%s" POOL_MOUNT_UNIT_PATH, root);

        if (!unit)
                return -ENOMEM;
        if (access(unit, F_OK) < 0 || is_mount_point(c->path))
                return 0;
        return pool_check_problem(
                c, false, 0,
                "'%s' has its own filesystem (%s), which is not mounted: what is made there "
                "now would be hidden later; 'systemctl start " POOL_MOUNT_UNIT "'.",
                c->path, unit);
}

/*
 * What lies about
 */

static char *id_of(const char *entry) {
        return strndup(entry, strcspn(entry, "-."));
}

static int remove_leftover(const PoolCheck *c, int fd, const char *name, Error **err) {
        return c->repair ? tree_remove(fd, name, NULL, err) : 0;
}

static int check_leftover(PoolCheck *c, int fd, const char *folder, const char *name,
                          const char *what) {
        _cleanup_error_ Error *why = NULL;
        int r = remove_leftover(c, fd, name, &why);

        /* A job may be at it already. */
        if (r < 0 && faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                return 0;
        return pool_check_problem(c, true, r, "'%s%s%s/%s' %s.", c->path, *folder ? "/" : "",
                                  folder, name, what);
}

static int check_folder_of_jobs(PoolCheck *c, const char *folder, const char *what) {
        _cleanup_close_ int fd = beneath_open(c->fd, folder, O_RDONLY | O_DIRECTORY);
        _cleanup_strv_ char **names = NULL;
        int r;

        if (fd < 0)
                return 0;
        r = dir_list_fd(fd, &names);
        STRV_FOREACH(name, names) {
                _cleanup_free_ char *id = id_of(*name);

                if (!id)
                        return -ENOMEM;
                if (r >= 0 && !(c->keep && c->keep(c->userdata, id)))
                        r = check_leftover(c, fd, folder, *name, what);
        }
        return r;
}

static bool is_old(const struct statx *st) {
        return time(NULL) - st->stx_ctime.tv_sec > DAY_SECONDS;
}

/* The locks of containers that run are as old as these (volume_lock.h). */
static bool is_lock(const char *name) {
        return endswith(name, ".lck");
}

static int check_hidden(PoolCheck *c, const char *name, const struct statx *st) {
        if (!startswith(name, UNFINISHED_PREFIX) || is_lock(name) || !is_old(st))
                return 0;
        return check_leftover(c, c->fd, "", name,
                              "was begun more than a day ago by machinectl or importctl, and never "
                              "finished");
}

static int check_import(PoolCheck *c, const char *name, const char *rest) {
        _cleanup_free_ char *id = id_of(rest);

        if (!id)
                return -ENOMEM;
        if (c->keep && c->keep(c->userdata, id))
                return 0;
        return check_leftover(c, c->fd, "", name, "is left of a job that is no more");
}

/*
 * Volumes
 */

static int mend_writable(const PoolCheck *c, const char *name) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        if (!c->repair)
                return 0;
        fd = beneath_open(c->fd, name, O_RDONLY | O_NOFOLLOW);
        if (fd < 0)
                return fd;
        return fstat(fd, &st) < 0 || fchmod(fd, st.st_mode & 07775) < 0 ? negative_errno() : 0;
}

static int check_tree(PoolCheck *c, const char *name, const struct statx *st) {
        if (beneath_is_mount(st))
                return pool_check_problem(
                        c, false, 0,
                        "'%s/%s' is a mount point and so not part of the pool: ctvirt "
                        "neither lists nor changes it.",
                        c->path, name);
        if (st->stx_mode & S_IWOTH)
                return pool_check_problem(c, true, mend_writable(c, name),
                                          "'%s/%s' can be written to by everybody.", c->path, name);
        if (S_ISDIR(st->stx_mode) && !volume_name_is_valid(name))
                return pool_check_problem(
                        c, false, 0,
                        "'%s/%s' cannot be a container: its name is not that of a machine; "
                        "rename it.",
                        c->path, name);
        return S_ISDIR(st->stx_mode) ? pool_check_limit(c, name) : 0;
}

static int check_twin(PoolCheck *c, const char *name) {
        _cleanup_free_ char *folder = NULL;
        struct statx st;

        if (!endswith(name, ".raw"))
                return 0;
        folder = strndup(name, strlen(name) - strlen(".raw"));
        if (!folder)
                return -ENOMEM;
        if (beneath_stat(c->fd, folder, &st) < 0)
                return 0;
        return pool_check_problem(
                c, false, 0,
                "'%s/%s' and '%s/%s' are both there: the folder is what is started, the "
                "image is never used; rename one.",
                c->path, folder, c->path, name);
}

static int check_entry(PoolCheck *c, const char *name) {
        const char *import = startswith(name, POOL_IMPORT_PREFIX);
        struct statx st;
        int r;

        /* The pool's own filesystem may have one. */
        if (streq(name, "lost+found") || beneath_stat(c->fd, name, &st) < 0)
                return 0;
        if (name[0] == '.')
                return check_hidden(c, name, &st);
        if (import)
                return check_import(c, name, import);
        if (S_ISLNK(st.stx_mode))
                return pool_check_problem(
                        c, false, 0,
                        "'%s/%s' is a symlink: ctvirt does not follow it; move what it points "
                        "to in its place.",
                        c->path, name);
        if (!S_ISDIR(st.stx_mode) && !S_ISREG(st.stx_mode))
                return pool_check_problem(c, false, 0, "'%s/%s' is neither a folder nor an image.",
                                          c->path, name);
        r = check_tree(c, name, &st);
        return r < 0 ? r : check_twin(c, name);
}

/*
 * Snapshots
 */

static bool has(int fd, const char *name) {
        struct statx st;

        return beneath_stat(fd, name, &st) >= 0;
}

static int check_document(PoolCheck *c, int fd, const char *folder, const char *file) {
        _cleanup_free_ char *name = strndup(file, strlen(file) - strlen(".xml")), *text = NULL;
        _cleanup_snapshot_ Snapshot s = { 0 };
        _cleanup_error_ Error *why = NULL;
        size_t size;
        int r;

        if (!name)
                return -ENOMEM;
        if (!has(fd, name))
                return check_leftover(c, fd, folder, file,
                                      "is the document of a snapshot that is not there");
        r = read_file_at(fd, file, SNAPSHOT_XML_MAX, false, &text, &size);
        if (r >= 0)
                r = snapshot_parse(text, size, file, &s, &why);
        if (r >= 0 && streq(s.name, name))
                return 0;
        return pool_check_problem(
                c, false, 0,
                "'%s/%s/%s' does not say what snapshot it is (%s), so the snapshot is not "
                "listed: correct or delete it.",
                c->path, folder, file,
                why     ? why->text
                : r < 0 ? strerror(-r)
                        : "it names another");
}

static int check_snapshot(PoolCheck *c, int fd, const char *folder, const char *name) {
        _cleanup_free_ char *document = text_format("%s.xml", name);

        if (!document)
                return -ENOMEM;
        if (startswith(name, UNFINISHED_PREFIX))
                return check_leftover(c, fd, folder, name,
                                      "is left of a write that was interrupted");
        if (endswith(name, ".xml"))
                return check_document(c, fd, folder, name);
        if (has(fd, document))
                return 0;
        return pool_check_problem(
                c, false, 0,
                "'%s/%s/%s' is a snapshot without a document ('%s'): it is not listed, and "
                "nobody knows what it is; delete it, or write the document.",
                c->path, folder, name, document);
}

static int check_snapshots_of(PoolCheck *c, int all, const char *container) {
        _cleanup_free_ char *folder = text_format(POOL_SNAPSHOTS "/%s", container);
        _cleanup_free_ char *image = text_format("%s.raw", container);
        _cleanup_close_ int fd = beneath_open(all, container, O_RDONLY | O_DIRECTORY);
        _cleanup_strv_ char **names = NULL;
        int r;

        if (!folder || !image)
                return -ENOMEM;
        if (fd < 0)
                return pool_check_problem(c, false, 0, "'%s/%s' must be a folder: %s.", c->path,
                                          folder, strerror(-fd));
        r = dir_list_fd(fd, &names);
        if (r >= 0 && names && !has(c->fd, container) && !has(c->fd, image))
                r = pool_check_problem(
                        c, false, 0,
                        "There are snapshots of '%s', which has no root any more ('ctvirt "
                        "vol-delete %s --delete-snapshots' deletes them).",
                        container, container);
        STRV_FOREACH(name, names)
                if (r >= 0)
                        r = check_snapshot(c, fd, folder, *name);
        return r;
}

static int check_snapshots(PoolCheck *c) {
        _cleanup_close_ int fd = beneath_open(c->fd, POOL_SNAPSHOTS, O_RDONLY | O_DIRECTORY);
        _cleanup_strv_ char **names = NULL;
        int r;

        if (fd < 0)
                return 0;
        r = dir_list_fd(fd, &names);
        STRV_FOREACH(name, names)
                if (r >= 0)
                        r = check_snapshots_of(c, fd, *name);
        return r;
}

/*
 * All
 */

static int check_content(PoolCheck *c) {
        static const char *const folders[] = { POOL_OWN_FOLDER, POOL_NEW,       POOL_TRASH,
                                               POOL_BASES,      POOL_SNAPSHOTS, POOL_INTENTS };
        _cleanup_strv_ char **names = NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(folders) && r >= 0; i++)
                r = check_own_folder(c, folders[i]);
        if (r >= 0)
                r = check_folder_of_jobs(c, POOL_NEW, "is half done, of a job that is no more");
        if (r >= 0 && !c->emptying)
                r = check_folder_of_jobs(c, POOL_TRASH, "was deleted, and still takes space");
        if (r >= 0)
                r = dir_list_fd(c->fd, &names);
        STRV_FOREACH(name, names)
                if (r >= 0)
                        r = check_entry(c, *name);
        if (r >= 0)
                r = pool_check_limits(c);
        return r < 0 ? r : check_snapshots(c);
}

static int make_pool(const PoolCheck *c) {
        if (!c->repair)
                return 0;
        if (make_directories(c->path, 0755) < 0 || chmod(c->path, 0700) < 0)
                return negative_errno();
        return 0;
}

static int check_all(PoolCheck *c, const char *root) {
        int r;

        c->fd = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (c->fd < 0 && errno == ENOENT)
                return pool_check_problem(c, true, make_pool(c), "The pool '%s' is not there.",
                                          c->path);
        if (c->fd < 0)
                return pool_check_problem(c, false, 0, "The pool '%s' cannot be opened: %s.",
                                          c->path, strerror(errno));
        r = check_mounted(c, root);
        if (r >= 0)
                r = check_access(c, c->fd, c->path);
        if (r >= 0)
                r = check_label(c, c->path);
        return r < 0 ? r : check_content(c);
}

int pool_check(const char *root, bool (*keep)(void *userdata, const char *id), void *userdata,
               bool emptying, PoolProblemList *ret) {
        _cleanup_free_ char *path = text_format("%s" POOL_PATH, root);
        _cleanup_(check_done) PoolCheck c = {
                .path = path, .fd = -1, .keep = keep, .userdata = userdata, .emptying = emptying
        };
        int r;

        if (!path)
                return -ENOMEM;
        r = check_all(&c, root);
        if (r < 0)
                return r;
        *ret = c.left;
        c.left = (PoolProblemList){ 0 };
        return 0;
}

int pool_repair(const char *root, bool (*keep)(void *userdata, const char *id), void *userdata,
                PoolProblemList *ret_mended, PoolProblemList *ret_left, Error **err) {
        _cleanup_free_ char *path = text_format("%s" POOL_PATH, root);
        _cleanup_(check_done) PoolCheck c = { .path = path,
                                              .fd = -1,
                                              .keep = keep,
                                              .userdata = userdata,
                                              .repair = true,
                                              .err = err };
        int r;

        if (!path)
                return -ENOMEM;
        r = check_all(&c, root);
        if (r < 0)
                return error_set(err, -r, "cannot look at the pool '%s': %s", path, strerror(-r));
        if (ret_mended) {
                *ret_mended = c.mended;
                c.mended = (PoolProblemList){ 0 };
        }
        if (ret_left) {
                *ret_left = c.left;
                c.left = (PoolProblemList){ 0 };
        }
        return c.result;
}

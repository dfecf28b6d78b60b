/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/base_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/bootstrap/image_file.h"
#include "base/fileio.h"
#include "units/conf_file.h"
#include "units/conf_word.h"
#include "units/text.h"
#include "units/unit_escape.h"

#define CONF_SUFFIX ".conf"
#define IMAGE_SUFFIX ".raw"
#define CONF_MAX (1024 * 1024)
#define USEC 1000000

void image_command_done(ImageCommand *c) {
        strv_free(c->arguments);
        strv_free(c->environment);
        free(c->directory);
        free(c->user);
        *c = (ImageCommand){ 0 };
}

void base_done(Base *b) {
        strv_free(b->facts);
        image_command_done(&b->command);
        *b = (Base){ 0 };
}

void base_list_done(BaseList *l) {
        for (size_t i = 0; i < l->n_items; i++)
                base_done(&l->items[i]);
        free(l->items);
        *l = (BaseList){ 0 };
}

DEFINE_CLEANUP(DIR *, closedir)

static int open_bases(const Pool *p) {
        int fd = openat(p->fd, POOL_BASES, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? negative_errno() : fd;
}

static uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_REALTIME, &t);
        return (uint64_t) t.tv_sec * USEC + (uint64_t) t.tv_nsec / 1000;
}

static void put_words(FILE *f, const char *key, char *const *words) {
        for (; words && *words; words++) {
                (void) fprintf(f, "%s=", key);
                nspawn_put_word(f, *words);
                fputc('\n', f);
        }
}

static void put_word(FILE *f, const char *key, char *word) {
        put_words(f, key, (char *[]){ word, NULL });
}

static int put_conf(FILE *f, const Base *b) {
        (void) fprintf(f, "[Base]\nMade=%" PRIu64 "\n", b->made_usec);
        put_words(f, "Fact", b->facts);
        put_words(f, "Argument", b->command.arguments);
        put_words(f, "Environment", b->command.environment);
        put_word(f, "Directory", b->command.directory);
        put_word(f, "User", b->command.user);
        return fflush(f) != 0 || fsync(fileno(f)) < 0 ? negative_errno() : 0;
}

/* Where the job builds, so that it is known whose it is when the job is killed meanwhile. */
static int write_conf(const Pool *p, int bases_fd, const char *id, const Base *b) {
        _cleanup_free_ char *built = text_format(POOL_NEW "/%s-conf", id);
        _cleanup_free_ char *name = text_format("%s" CONF_SUFFIX, b->key);
        _cleanup_fclose_ FILE *f = NULL;
        int fd, r;

        if (!built || !name)
                return -ENOMEM;
        fd = openat(p->fd, built, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return negative_errno();
        f = fdopen(fd, "w");
        if (!f) {
                (void) close(fd);
                return -ENOMEM;
        }
        r = put_conf(f, b);
        if (r >= 0 && renameat(p->fd, built, bases_fd, name) < 0)
                r = negative_errno();
        if (r < 0) {
                (void) unlinkat(p->fd, built, 0);
                return r;
        }
        return fsync(bases_fd) < 0 ? negative_errno() : 0;
}

static int on_assignment(const char *section, const char *key, const char *value, void *userdata) {
        Base *b = userdata;
        const struct {
                const char *key;
                char ***list;
                char **text;
        } fields[] = {
                { "Fact", &b->facts, NULL },
                { "Argument", &b->command.arguments, NULL },
                { "Environment", &b->command.environment, NULL },
                { "Directory", NULL, &b->command.directory },
                { "User", NULL, &b->command.user },
        };

        if (streq(key, "Made"))
                b->made_usec = strtoull(value, NULL, 10);
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                _cleanup_free_ char *word = NULL;
                int r;

                if (!streq(key, fields[i].key))
                        continue;
                r = conf_word_next(&value, CONF_WORD_PLAIN_BACKSLASH, &word);
                if (r <= 0)
                        return r;
                if (fields[i].list)
                        return strv_push(fields[i].list, TAKE_PTR(word));
                if (fields[i].text) {
                        free(*fields[i].text);
                        *fields[i].text = TAKE_PTR(word);
                }
        }
        return 0;
}

static uint64_t usec_of(const struct timespec *t) {
        return (uint64_t) t->tv_sec * USEC + (uint64_t) t->tv_nsec / 1000;
}

/* A base whose file is missing is one all the same: its tree is whole. */
static int read_conf(int bases_fd, Base *b) {
        _cleanup_free_ char *name = text_format("%s" CONF_SUFFIX, b->key), *text = NULL;
        struct stat st;
        size_t size;
        int r;

        if (!name)
                return -ENOMEM;
        r = read_file_at(bases_fd, name, CONF_MAX, false, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || fstatat(bases_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        b->used_usec = usec_of(&st.st_mtim);
        r = conf_parse(text, size, on_assignment, b);
        return r == -ENOMEM ? r : 0;
}

static char *tree_name(const Base *b) {
        return text_format("%s%s", b->key, b->image ? IMAGE_SUFFIX : "");
}

/* Reads the base whose tree or image is called name; 0 if it is neither. */
static int read_base(int bases_fd, const char *name, Base *ret) {
        _cleanup_base_ Base b = { 0 };
        struct stat st;
        int r;

        if (strlen(name) < BASE_KEY_LENGTH)
                return 0;
        memcpy(b.key, name, BASE_KEY_LENGTH);
        b.image = streq(name + BASE_KEY_LENGTH, IMAGE_SUFFIX);
        if (!base_key_is_valid(b.key) || (!b.image && name[BASE_KEY_LENGTH]))
                return 0;
        if (fstatat(bases_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : negative_errno();
        if (b.image ? !S_ISREG(st.st_mode) : !S_ISDIR(st.st_mode))
                return 0;
        b.made_usec = b.used_usec = usec_of(&st.st_ctim);
        r = read_conf(bases_fd, &b);
        if (r < 0)
                return r;
        *ret = b;
        b = (Base){ 0 };
        return 1;
}

static int by_use(const void *a, const void *b) {
        const Base *x = a, *y = b;

        if (x->used_usec != y->used_usec)
                return x->used_usec < y->used_usec ? 1 : -1;
        return strcmp(x->key, y->key);
}

static int add_base(BaseList *l, int bases_fd, const char *name) {
        Base *more = reallocarray(l->items, l->n_items + 1, sizeof(*more));
        int r;

        if (!more)
                return -ENOMEM;
        l->items = more;
        r = read_base(bases_fd, name, &more[l->n_items]);
        if (r > 0)
                l->n_items++;
        return r;
}

int base_list(const Pool *p, BaseList *ret) {
        _cleanup_base_list_ BaseList l = { 0 };
        _cleanup_close_ int fd = open_bases(p), list_fd = fd < 0 ? -1 : open_bases(p);
        _cleanup_(closedirp) DIR *dir = list_fd < 0 ? NULL : fdopendir(list_fd);
        const struct dirent *entry;

        if (fd < 0)
                return fd;
        if (!dir)
                return negative_errno();
        (void) TAKE_FD(list_fd);
        while ((entry = readdir(dir))) {
                int r = add_base(&l, fd, entry->d_name);

                if (r < 0)
                        return r;
        }
        if (l.n_items > 0)
                qsort(l.items, l.n_items, sizeof(*l.items), by_use);
        *ret = l;
        l = (BaseList){ 0 };
        return 0;
}

int base_find(const Pool *p, const char *key, Base *ret, Error **err) {
        _cleanup_base_list_ BaseList l = { 0 };
        Base *found = NULL;
        int r;

        if (strlen(key) < BASE_PREFIX_MIN)
                return error_set(err, EINVAL,
                                 "'%s' is too short for the key of a base: give at "
                                 "least its first %d digits",
                                 key, BASE_PREFIX_MIN);
        r = base_list(p, &l);
        if (r < 0)
                return error_set(err, -r, "the bases cannot be listed: %s", strerror(-r));
        for (size_t i = 0; i < l.n_items; i++) {
                if (!startswith(l.items[i].key, key))
                        continue;
                if (found)
                        return error_set(err, ENOTUNIQ, "more than one base begins with '%s'", key);
                found = &l.items[i];
        }
        if (!found)
                return error_set(err, ENOENT, "there is no base '%s'", key);
        *ret = *found;
        *found = (Base){ 0 };
        return 0;
}

static bool is_young(const Base *b, uint64_t max_age_usec) {
        uint64_t now = now_usec();

        return max_age_usec == UINT64_MAX || b->made_usec > now ||
               now - b->made_usec <= max_age_usec;
}

static int read_key(int bases_fd, const char *key, Base *ret) {
        _cleanup_free_ char *image = text_format("%s" IMAGE_SUFFIX, key);
        int r;

        if (!image)
                return -ENOMEM;
        r = read_base(bases_fd, key, ret);
        return r == 0 ? read_base(bases_fd, image, ret) : r;
}

int base_lookup(const Pool *p, const char *key, uint64_t max_age_usec, Base *ret) {
        _cleanup_base_ Base b = { 0 };
        _cleanup_close_ int fd = open_bases(p);
        int r;

        if (fd < 0)
                return fd;
        r = read_key(fd, key, &b);
        if (r <= 0 || !is_young(&b, max_age_usec))
                return r < 0 ? r : 0;
        *ret = b;
        b = (Base){ 0 };
        return 1;
}

static void stamp(int bases_fd, const Base *b) {
        _cleanup_free_ char *name = text_format("%s" CONF_SUFFIX, b->key);

        if (name)
                (void) utimensat(bases_fd, name, NULL, AT_SYMLINK_NOFOLLOW);
}

/* Nobody takes a base away while it is copied: it is locked for that. */
static int lock_base(int bases_fd, const char *name, int operation) {
        int fd = openat(bases_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

        if (fd < 0)
                return negative_errno();
        while (flock(fd, operation) < 0)
                if (errno != EINTR) {
                        int r = errno == EWOULDBLOCK ? -EBUSY : negative_errno();

                        (void) close(fd);
                        return r;
                }
        return fd;
}

static int protect(const Pool *p, int bases_fd, const char *name) {
        bool read_only;
        int r = p->backend->get_read_only(bases_fd, name, &read_only);

        if (r >= 0 && !read_only)
                r = p->backend->set_read_only(bases_fd, name, true);
        return r == -EOPNOTSUPP ? 0 : r;
}

int base_use(const Pool *p, const Base *b, const char *id, const TreeProgress *progress) {
        _cleanup_free_ char *name = tree_name(b);
        _cleanup_close_ int fd = open_bases(p), new_fd = -1, lock_fd = -1;
        int r;

        if (fd < 0)
                return fd;
        if (!name)
                return -ENOMEM;
        new_fd = openat(p->fd, POOL_NEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (new_fd < 0)
                return negative_errno();
        lock_fd = lock_base(fd, name, LOCK_SH);
        if (lock_fd < 0)
                return lock_fd;
        if (b->image)
                r = image_file_copy(fd, name, new_fd, id, progress, NULL);
        /* The job that made it may have been killed before it did. */
        else if ((r = protect(p, fd, name)) >= 0)
                r = p->backend->snapshot(fd, name, new_fd, id, false, progress, NULL);
        if (r >= 0)
                stamp(fd, b);
        return r;
}

static int to_trash(const Pool *p, int from_fd, const char *name, const char *id,
                    const char *what) {
        _cleanup_free_ char *to = text_format(POOL_TRASH "/%s-%s", id, what);

        if (!to)
                return -ENOMEM;
        return renameat2(from_fd, name, p->fd, to, RENAME_NOREPLACE) < 0 ? negative_errno() : 0;
}

/* A read-only subvolume cannot be moved to another folder. */
static int remove_tree(const Pool *p, int bases_fd, const Base *b, const char *id, int operation) {
        _cleanup_free_ char *name = tree_name(b), *what = text_format("base-%.16s", b->key);
        _cleanup_close_ int lock_fd = -1;
        int r;

        if (!name || !what)
                return -ENOMEM;
        lock_fd = lock_base(bases_fd, name, operation);
        if (lock_fd < 0)
                return lock_fd;
        if (!b->image) {
                r = p->backend->set_read_only(bases_fd, name, false);
                if (r < 0 && r != -EOPNOTSUPP)
                        return r;
        }
        return to_trash(p, bases_fd, name, id, what);
}

int base_delete(const Pool *p, const Base *b, const char *id) {
        _cleanup_free_ char *name = text_format("%s" CONF_SUFFIX, b->key);
        _cleanup_close_ int fd = open_bases(p);
        int r;

        if (fd < 0)
                return fd;
        if (!name)
                return -ENOMEM;
        r = remove_tree(p, fd, b, id, LOCK_EX | LOCK_NB);
        if (r < 0)
                return r;
        r = remove_file_at(fd, name);
        return r < 0 ? r : 0;
}

/* Makes room for a new one where an old one is. -EEXIST: it is not old. */
static int replace_old(const Pool *p, int bases_fd, const char *id, uint64_t max_age_usec,
                       const Base *b) {
        _cleanup_base_ Base other = { 0 };
        int r;

        r = read_key(bases_fd, b->key, &other);
        if (r <= 0)
                return r;
        if (is_young(&other, max_age_usec))
                return -EEXIST;
        r = remove_tree(p, bases_fd, &other, id, LOCK_EX);
        return r == -ENOENT ? 0 : r;
}

/* The file first: without it a base of an image would not know its command. A file without a base is
 * none. */
static int publish(const Pool *p, int bases_fd, const char *id, uint64_t max_age_usec,
                   const Base *b) {
        _cleanup_free_ char *from = text_format(POOL_NEW "/%s", id), *name = tree_name(b);
        int r;

        if (!from || !name)
                return -ENOMEM;
        r = replace_old(p, bases_fd, id, max_age_usec, b);
        if (r < 0)
                return r;
        r = write_conf(p, bases_fd, id, b);
        if (r < 0)
                return r;
        if (renameat2(p->fd, from, bases_fd, name, RENAME_NOREPLACE) < 0)
                return negative_errno();
        return b->image ? 0 : protect(p, bases_fd, name);
}

/* Everything is on the disk before the base has its name: who finds one trusts it. */
static int sync_filesystem(const Pool *p) {
        return syncfs(p->fd) < 0 ? negative_errno() : 0;
}

int base_keep(const Pool *p, const char *id, uint64_t max_age_usec, Base *b) {
        _cleanup_free_ char *from = text_format(POOL_NEW "/%s", id);
        _cleanup_close_ int fd = open_bases(p);
        int r;

        if (fd < 0)
                return fd;
        if (!from)
                return -ENOMEM;
        b->made_usec = now_usec();
        r = sync_filesystem(p);
        if (r >= 0)
                r = publish(p, fd, id, max_age_usec, b);
        if (r != -EEXIST)
                return r;

        r = to_trash(p, p->fd, from, id, "second-base");
        if (r >= 0) {
                char key[BASE_KEY_LENGTH + 1];

                memcpy(key, b->key, sizeof(key));
                base_done(b);
                r = base_lookup(p, key, UINT64_MAX, b);
        }
        return r < 0 ? r : r == 0 ? -ENOENT : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <sys/stat.h>

#include "base/fileio.h"
#include "base/name.h"
#include "units/container_root.h"
#include "units/dir_list.h"
#include "units/generated_text.h"
#include "units/nspawn_file.h"
#include "units/text.h"
#include "units/unit_name.h"

#define NSPAWN_FOLDER "/etc/systemd/nspawn"
#define NETWORK_FOLDER "etc/systemd/network"
#define NETWORK_PREFIX "20-ctvirt-"
#define NETWORK_SUFFIX ".network"

DEFINE_CLEANUP(DIR *, closedir)

/* Where the files of one container are. */
typedef struct Place {
        char *nspawn;        /* …/etc/systemd/nspawn/NAME.nspawn */
        char *dropin_folder; /* …/etc/systemd/system/systemd-nspawn@NAME.service.d */
        char *dropin;
        char *root; /* of the container */
        int root_fd;
        int network_fd; /* NETWORK_FOLDER in it; -1 while there is none */
} Place;

/* What is to be in them; NULL: no such file. */
typedef struct Texts {
        char *nspawn;
        char *dropin;
        char **network_names; /* file names, parallel to the next */
        char **networks;
} Texts;

static void place_done(Place *p) {
        free(p->nspawn);
        free(p->dropin_folder);
        free(p->dropin);
        free(p->root);
        closep(&p->root_fd);
        closep(&p->network_fd);
}

static void texts_done(Texts *t) {
        free(t->nspawn);
        free(t->dropin);
        strv_free(t->network_names);
        strv_free(t->networks);
}

static int place_init(Place *p, const char *host_root, const char *container, const char *root) {
        _cleanup_free_ char *unit = container_unit_name(container);

        if (!unit)
                return -ENOMEM;
        p->nspawn = text_format("%s" NSPAWN_FOLDER "/%s.nspawn", host_root, container);
        p->dropin_folder = text_format("%s/etc/systemd/system/%s.d", host_root, unit);
        p->dropin = text_format("%s/etc/systemd/system/%s.d/" GENERATED_DROPIN, host_root, unit);
        p->root = text_format("%s%s", host_root, root);
        return p->nspawn && p->dropin_folder && p->dropin && p->root ? 0 : -ENOMEM;
}

/* A root that does not exist yet is no error. */
static int place_open_root(Place *p, const char *host_root, const char *root) {
        unsigned created;
        int fd;

        p->root_fd = container_root_open(host_root, root);
        if (p->root_fd < 0)
                return p->root_fd == -ENOENT ? 0 : p->root_fd;

        fd = container_root_folder(p->root_fd, NETWORK_FOLDER, false, &created);
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        p->network_fd = fd;
        return 0;
}

static int format_network(const GeneratedInput *in, size_t interface, Texts *t) {
        _cleanup_free_ char *text = NULL, *link = NULL;
        int r;

        r = generated_network_format(in, interface, &text);
        if (r < 0 || !text)
                return r;
        link = generated_link_inside(in->def, interface);
        if (!link)
                return -ENOMEM;
        r = strv_extendf(&t->network_names, NETWORK_PREFIX "%s" NETWORK_SUFFIX, link);
        return r < 0 ? r : strv_push(&t->networks, TAKE_PTR(text));
}

static int format_texts(const GeneratedInput *in, Texts *t, Error **err) {
        int r;

        r = generated_nspawn_format(in, &t->nspawn);
        if (r >= 0)
                r = generated_dropin_format(in, &t->dropin);
        for (size_t i = 0; i < in->def->n_interfaces && r >= 0; i++)
                r = format_network(in, i, t);
        if (r == -EINVAL)
                return error_set(err, EINVAL,
                                 "The definition of container '%s' has a control character or "
                                 "another text that systemd's files cannot carry",
                                 in->def->name);
        if (r == -EFBIG)
                return error_set(err, EFBIG,
                                 "The definition of container '%s' is too large: a file made of it "
                                 "would have more than %d bytes",
                                 in->def->name, NSPAWN_FILE_MAX);
        return r;
}

/* 1: a file of ours; 0: none; -EEXIST: one that is not ours. */
static int look_at(int dir_fd, const char *path) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = read_file_at(dir_fd, path, NSPAWN_FILE_MAX, false, &text, NULL);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r == -ELOOP || r == -EINVAL || r == -EFBIG || r == -ENXIO)
                return -EEXIST;
        if (r < 0)
                return r;
        return startswith(text, GENERATED_MARK) ? 1 : -EEXIST;
}

static int complain_of(Error **err, int r, const char *doing, const char *folder,
                       const char *name) {
        const char *slash = *name ? "/" : "";

        if (r == -EEXIST)
                return error_set(err, EEXIST,
                                 "'%s%s%s' was not written by ctvirt; move it away or remove it, "
                                 "then define again",
                                 folder, slash, name);
        if (r == -ELOOP || r == -EXDEV)
                return error_set(err, -r,
                                 "'%s%s%s' cannot be trusted: a symbolic link or a way out of the "
                                 "container's tree is on the path",
                                 folder, slash, name);
        if (r == -EROFS)
                return error_set(err, EROFS,
                                 "Cannot %s '%s%s%s': the file system is read-only, at least for "
                                 "the agent (its unit has ProtectHome=read-only and "
                                 "ProtectSystem=full)",
                                 doing, folder, slash, name);
        return error_set(err, -r, "Cannot %s '%s%s%s': %s", doing, folder, slash, name,
                         strerror(-r));
}

static int complain_of_root(Error **err, int r, const char *root) {
        switch (r) {
        case -EPERM:
                return error_set(err, EPERM, "'%s' is the host's own root", root);
        case -ENOTDIR:
                return error_set(err, ENOTDIR,
                                 "A file is needed in " NETWORK_FOLDER " of '%s', which is no "
                                 "folder",
                                 root);
        }
        return complain_of(err, r, "open", root, NETWORK_FOLDER);
}

static int check_network_files(const Place *p, const Texts *t, Error **err) {
        for (char **name = t->network_names; p->network_fd >= 0 && name && *name; name++) {
                int r = look_at(p->network_fd, *name);

                if (r < 0)
                        return complain_of(err, r, "read", p->root, *name);
        }
        return 0;
}

/* Nothing may be changed if anything is in the way. */
static int check(const Place *p, const Texts *t, Error **err) {
        int r;

        r = look_at(AT_FDCWD, p->nspawn);
        if (r < 0)
                return complain_of(err, r, "read", p->nspawn, "");
        r = t->dropin ? look_at(AT_FDCWD, p->dropin) : 0;
        if (r < 0)
                return complain_of(err, r, "read", p->dropin, "");
        return check_network_files(p, t, err);
}

static void tell(const GeneratedInput *in, const char *path) {
        if (in->on_written)
                in->on_written(path, in->userdata);
}

static int make_host_folder(const GeneratedInput *in, const char *path) {
        struct stat st;
        int r;

        if (stat(path, &st) >= 0)
                return 0;
        r = make_directories(path, 0755);
        if (r >= 0)
                tell(in, path);
        return r;
}

static int write_host_file(const GeneratedInput *in, const char *path, const char *text,
                           mode_t mode) {
        int r;

        r = write_file_at(AT_FDCWD, path, text, strlen(text), mode, WRITE_SYNC | WRITE_IF_CHANGED);
        if (r > 0)
                tell(in, path);
        return r;
}

static int parse_text(const char *text, NspawnFile **ret) {
        return nspawn_file_parse(text, strlen(text), "", true, ret);
}

/* True if the generator would make something else of the new text: other bridges or networks. */
static bool needs_differ(const char *path, const char *text) {
        _cleanup_(nspawn_file_freep) NspawnFile *old_file = NULL, *new_file = NULL;
        _cleanup_free_ char *old = NULL;

        if (parse_text(text, &new_file) < 0)
                return true;
        if (read_file_at(AT_FDCWD, path, NSPAWN_FILE_MAX, false, &old, NULL) < 0 ||
            parse_text(old, &old_file) < 0)
                return new_file->bridges || new_file->networks;
        return !strv_equal(old_file->bridges, new_file->bridges) ||
               !strv_equal(old_file->networks, new_file->networks);
}

static int write_nspawn(const GeneratedInput *in, const char *host_root, const Place *p,
                        const char *text) {
        _cleanup_free_ char *folder = NULL;
        bool differ = needs_differ(p->nspawn, text);
        /* Values of <initenv> are nobody else's business. */
        mode_t mode = in->def->n_environment > 0 ? 0600 : 0644;
        int r;

        folder = text_format("%s" NSPAWN_FOLDER, host_root);
        if (!folder)
                return -ENOMEM;
        r = make_host_folder(in, folder);
        if (r >= 0)
                r = write_host_file(in, p->nspawn, text, mode);
        if (r <= 0)
                return r;
        return GENERATED_CONTENT_CHANGED | (differ ? GENERATED_UNIT_CHANGED : 0);
}

static int remove_dropin(const Place *p) {
        int r = look_at(AT_FDCWD, p->dropin);

        if (r == 1)
                r = remove_file_at(AT_FDCWD, p->dropin);
        /* Only if nobody else has something in it. */
        if (r == 1)
                (void) rmdir(p->dropin_folder);
        if (r == -EEXIST)
                return 0;
        return r > 0 ? GENERATED_UNIT_CHANGED | GENERATED_DROPIN_CHANGED : r;
}

static int write_dropin(const GeneratedInput *in, const Place *p, const char *text) {
        int r;

        if (!text)
                return remove_dropin(p);
        r = make_host_folder(in, p->dropin_folder);
        if (r >= 0)
                r = write_host_file(in, p->dropin, text, 0644);
        return r > 0 ? GENERATED_UNIT_CHANGED | GENERATED_DROPIN_CHANGED : r;
}

static int tell_network(const GeneratedInput *in, const Place *p, const char *name) {
        _cleanup_free_ char *path = NULL;

        path = text_format("%s/" NETWORK_FOLDER "%s%s", p->root, *name ? "/" : "", name);
        if (!path)
                return -ENOMEM;
        tell(in, path);
        return 0;
}

static int make_network_folder(const GeneratedInput *in, Place *p) {
        unsigned created = 0;
        int fd;

        if (p->network_fd >= 0)
                return 0;
        fd = container_root_folder(p->root_fd, NETWORK_FOLDER, true, &created);
        if (fd < 0)
                return fd;
        p->network_fd = fd;
        return created > 0 ? tell_network(in, p, "") : 0;
}

static int write_networks(const GeneratedInput *in, Place *p, const Texts *t) {
        int r = 0, mask = 0;

        if (p->root_fd < 0 || !t->networks)
                return 0;
        r = make_network_folder(in, p);
        for (size_t i = 0; r >= 0 && t->networks[i]; i++) {
                r = write_file_at(p->network_fd, t->network_names[i], t->networks[i],
                                  strlen(t->networks[i]), 0644,
                                  WRITE_SYNC | WRITE_IF_CHANGED | WRITE_LIKE_PARENT);
                if (r > 0)
                        r = tell_network(in, p, t->network_names[i]);
                else
                        continue;
                mask |= GENERATED_CONTENT_CHANGED;
        }
        return r < 0 ? r : mask;
}

/* What a write has left that was interrupted. */
static void remove_temporary(const Place *p, const char *name) {
        struct stat st;

        if (fstatat(p->network_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISREG(st.st_mode))
                (void) unlinkat(p->network_fd, name, 0);
}

/* Network files of ours that are not among those to keep. */
static int remove_networks(const Place *p, char *const *keep) {
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *de;
        int mask = 0, fd;

        if (p->network_fd < 0)
                return 0;
        fd = openat(p->network_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        d = fd < 0 ? NULL : fdopendir(fd);
        if (!d) {
                int r = negative_errno();

                closep(&fd);
                return r;
        }
        while ((errno = 0, de = readdir(d))) {
                if (startswith(de->d_name, ".#" NETWORK_PREFIX) &&
                    is_own_temporary_name(de->d_name, NETWORK_SUFFIX))
                        remove_temporary(p, de->d_name);
                if (!startswith(de->d_name, NETWORK_PREFIX) ||
                    !endswith(de->d_name, NETWORK_SUFFIX) || strv_contains(keep, de->d_name) ||
                    look_at(p->network_fd, de->d_name) != 1)
                        continue;
                if (unlinkat(p->network_fd, de->d_name, 0) >= 0)
                        mask |= GENERATED_CONTENT_CHANGED;
        }
        return errno > 0 ? negative_errno() : mask;
}

/* The .nspawn file first: it is what says that the others are there. */
static int commit(const GeneratedInput *in, const char *host_root, Place *p, const Texts *t,
                  Error **err) {
        int mask = 0, r;

        r = write_nspawn(in, host_root, p, t->nspawn);
        if (r < 0)
                return complain_of(err, r, "write", p->nspawn, "");
        mask |= r;
        r = write_dropin(in, p, t->dropin);
        if (r < 0)
                return complain_of(err, r, "write", p->dropin, "");
        mask |= r;
        r = write_networks(in, p, t);
        if (r >= 0) {
                mask |= r;
                r = remove_networks(p, t->network_names);
        }
        if (r < 0)
                return complain_of(err, r, "write to", p->root, NETWORK_FOLDER);
        return mask | r;
}

int generated_write(const char *host_root, const GeneratedInput *in, Error **err) {
        _cleanup_(place_done) Place p = { .root_fd = -1, .network_fd = -1 };
        _cleanup_(texts_done) Texts t = { 0 };
        _cleanup_free_ char *root = generated_root(in->def);
        int r;

        if (!root)
                return error_set(err, ENOMEM, "Out of memory");
        r = format_texts(in, &t, err);
        if (r < 0)
                return r;
        r = place_init(&p, host_root, in->def->name, root);
        if (r < 0)
                return r;
        r = place_open_root(&p, host_root, root);
        if (r < 0 && (r != -ENOTDIR || t.networks))
                return complain_of_root(err, r, p.root);
        r = check(&p, &t, err);
        return r < 0 ? r : commit(in, host_root, &p, &t, err);
}

static int remove_nspawn(const Place *p) {
        int r = look_at(AT_FDCWD, p->nspawn);

        if (r == 1)
                r = remove_file_at(AT_FDCWD, p->nspawn);
        if (r == 1)
                (void) sync_directory_of(AT_FDCWD, p->nspawn);
        if (r == -EEXIST)
                return 0;
        return r <= 0 ? r : GENERATED_UNIT_CHANGED | GENERATED_CONTENT_CHANGED;
}

static int remove_all(const Place *p, Error **err) {
        int mask, r;

        mask = remove_networks(p, NULL);
        if (mask < 0)
                return complain_of(err, mask, "remove files from", p->root, NETWORK_FOLDER);
        r = remove_dropin(p);
        if (r < 0)
                return complain_of(err, r, "remove", p->dropin, "");
        mask |= r;
        r = remove_nspawn(p);
        if (r < 0)
                return complain_of(err, r, "remove", p->nspawn, "");
        return mask | r;
}

int generated_remove(const char *host_root, const char *container, const char *container_root,
                     Error **err) {
        _cleanup_(place_done) Place p = { .root_fd = -1, .network_fd = -1 };
        _cleanup_free_ char *root = NULL;
        int r;

        root = container_root ? strdup(container_root)
                              : text_format("/var/lib/machines/%s", container);
        r = root ? place_init(&p, host_root, container, root) : -ENOMEM;
        if (r < 0)
                return r;
        (void) place_open_root(&p, host_root, root);
        return remove_all(&p, err);
}

int generated_list(const char *host_root, char ***ret) {
        _cleanup_strv_ char **files = NULL, **names = NULL;
        _cleanup_free_ char *folder = NULL;
        int r;

        folder = text_format("%s" NSPAWN_FOLDER, host_root);
        if (!folder)
                return -ENOMEM;
        r = dir_list(folder, "", ".nspawn", &files);
        for (char **f = files; r >= 0 && f && *f; f++) {
                _cleanup_free_ char *path = NULL, *name = NULL;

                path = text_format("%s/%s", folder, *f);
                if (!path)
                        return -ENOMEM;
                name = strndup(*f, strlen(*f) - strlen(".nspawn"));
                if (!name)
                        return -ENOMEM;
                if (container_name_is_valid(name) && look_at(AT_FDCWD, path) == 1)
                        r = strv_push(&names, TAKE_PTR(name));
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

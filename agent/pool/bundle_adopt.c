/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/bundle_adopt.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/pool/pool.h"
#include "base/fileio.h"
#include "base/name.h"
#include "units/container_root.h"

static void drop_identity(ContainerDef *def) {
        def->has_uuid = false;
        def->uuid = (Uuid){ 0 };
        for (size_t i = 0; i < def->n_interfaces; i++)
                def->interfaces[i].has_mac = false;
        if (def->first_boot) {
                free(def->first_boot->machine_id);
                def->first_boot->machine_id = NULL;
        }
}

static FilesystemDef *root_filesystem(ContainerDef *def) {
        for (size_t i = 0; i < def->n_filesystems; i++)
                if (streq_ptr(def->filesystems[i].target, "/"))
                        return &def->filesystems[i];
        return NULL;
}

int bundle_adopt(ContainerDef *def, const char *name, BundleAdoptFlags flags) {
        _cleanup_free_ char *name_copy = NULL, *source = NULL;
        FilesystemDef *root = root_filesystem(def);

        if (name && !container_name_is_valid(name))
                return -EINVAL;
        name_copy = strdup(name ? name : def->name);
        if (!name_copy || asprintf(&source, POOL_PATH "/%s", name_copy) < 0) {
                source = NULL;
                return -ENOMEM;
        }
        if (def->first_boot && !streq(name_copy, def->name))
                free(TAKE_PTR(def->first_boot->hostname));
        free(def->name);
        def->name = TAKE_PTR(name_copy);
        if (root) {
                free(root->source);
                root->source = TAKE_PTR(source);
        }
        if (!(flags & BUNDLE_ADOPT_MOVED))
                drop_identity(def);
        def->idmap = (IdMapDef){ 0 };
        return 0;
}

/* The folder, if it has a regular file of that name; -ENOENT. */
static int open_folder_with(int root_fd, const char *folder, const char *name, Error **err) {
        _cleanup_close_ int fd = -1;
        unsigned n_created;
        struct stat st;

        fd = container_root_folder(root_fd, folder, false, &n_created);
        if (fd == -ENOENT)
                return fd;
        if (fd < 0)
                return error_set(err, -fd, "the folder /%s of the tree: %s", folder,
                                 fd == -ELOOP ? "a symbolic link is on the way" : strerror(-fd));
        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? -ENOENT
                                       : error_set(err, errno, "the file /%s/%s of the tree: %s",
                                                   folder, name, strerror(errno));
        return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -ENOENT;
}

static int empty_machine_id(int root_fd, Error **err) {
        _cleanup_close_ int fd = open_folder_with(root_fd, "etc", "machine-id", err);
        int r;

        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        r = write_file_at(fd, "machine-id", "", 0, 0444, WRITE_LIKE_PARENT);
        return r < 0 ? error_set(err, -r, "the file /etc/machine-id of the tree: %s", strerror(-r))
                     : 0;
}

static int remove_copy(int root_fd, Error **err) {
        _cleanup_close_ int fd = open_folder_with(root_fd, "var/lib/dbus", "machine-id", err);
        int r;

        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        r = remove_file_at(fd, "machine-id");
        return r < 0 ? error_set(err, -r, "the file /var/lib/dbus/machine-id of the tree: %s",
                                 strerror(-r))
                     : 0;
}

int bundle_reset_machine_id(int root_fd, Error **err) {
        int r = empty_machine_id(root_fd, err);

        return r < 0 ? r : remove_copy(root_fd, err);
}

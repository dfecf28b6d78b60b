/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/image_mount.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "agent/bootstrap/tool.h"

#define FOLDER_TEMPLATE "/tmp/ctvirt-image-XXXXXX"

static int dissect(const char *const *arguments, const JobReport *report, Error **err) {
        return tool_run(&(Tool){ .arguments = (char *const *) arguments,
                                 .report = report,
                                 .install = "systemd-container" },
                        err);
}

static int make_folder(char **ret, Error **err) {
        _cleanup_free_ char *folder = strdup(FOLDER_TEMPLATE);

        if (!folder)
                return -ENOMEM;
        if (!mkdtemp(folder)) {
                int r = negative_errno();

                (void) error_set(err, -r, "cannot make a folder in /tmp: %s", strerror(-r));
                return r;
        }
        *ret = TAKE_PTR(folder);
        return 0;
}

/* Programs and devices in it are nobody's here. */
static int protect(const char *folder, Error **err) {
        const unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC;

        if (mount(NULL, folder, NULL, flags, NULL) < 0)
                return error_set(err, errno, "%s cannot be mounted again: %s", folder,
                                 strerror(errno));
        return 0;
}

int image_mount(const char *path, const JobReport *report, ImageMount *ret, Error **err) {
        _cleanup_image_mount_ ImageMount m = IMAGE_MOUNT_NONE;
        _cleanup_free_ char *folder = NULL;
        int r;

        r = make_folder(&folder, err);
        if (r < 0)
                return r;
        r = dissect((const char *const[]){ "systemd-dissect", "--fsck=no", "--growfs=no", "--mount",
                                           path, folder, NULL },
                    report, err);
        if (r < 0) {
                (void) rmdir(folder);
                return r;
        }
        r = protect(folder, err);
        m.fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (r >= 0 && m.fd < 0)
                r = error_set(err, errno, "%s cannot be opened: %s", folder, strerror(errno));
        m.folder = TAKE_PTR(folder);
        if (r < 0)
                return r;
        *ret = m;
        m = IMAGE_MOUNT_NONE;
        return 0;
}

int image_unmount(ImageMount *m, Error **err) {
        int r = 0;

        if (!m->folder)
                return 0;
        if (m->fd >= 0 && syncfs(m->fd) < 0)
                r = error_set(err, errno, "the image cannot be written: %s", strerror(errno));
        closep(&m->fd);
        m->fd = -1;
        if (dissect((const char *const[]){ "systemd-dissect", "--umount", m->folder, NULL }, NULL,
                    r < 0 ? NULL : err) < 0) {
                (void) umount2(m->folder, MNT_DETACH);
                r = r < 0 ? r : -EIO;
        }
        (void) rmdir(m->folder);
        free(m->folder);
        m->folder = NULL;
        return r;
}

void image_mount_done(ImageMount *m) {
        (void) image_unmount(m, NULL);
}

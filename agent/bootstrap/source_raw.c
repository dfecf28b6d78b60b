/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Copies of what is there: an image, a folder, another container, a base.
 */

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/bootstrap/base_cache.h"
#include "agent/bootstrap/image_file.h"
#include "agent/bootstrap/source_file.h"
#include "agent/pool/tree_copy.h"
#include "agent/pool/volume.h"
#include "units/text.h"

/* The copy is checked, not the file: that may change meanwhile. */
int source_raw_copy(const SourceJob *j, const char *path, Error **err) {
        _cleanup_close_ int fd = -1, from_fd = -1;
        struct stat st;
        SourceCopy copy = { j->report };
        TreeProgress progress = source_progress(&copy);
        int r;

        from_fd = source_file_open(path, &st, err);
        if (from_fd < 0)
                return from_fd;
        copy.total = (uint64_t) st.st_blocks * 512;
        r = image_file_copy(AT_FDCWD, path, j->new_fd, j->id, &progress, &fd);
        if (r < 0)
                return error_set(err, -r, "%s cannot be copied: %s", path, strerror(-r));
        return source_file_check(j, fd, path, err);
}

static int fill_raw(SourceJob *j, Error **err) {
        return source_raw_copy(j, j->bootstrap->source, err);
}

const RootSource source_raw = {
        .type = BOOTSTRAP_RAW,
        .stage = "Copying the image",
        .is_image = true,
        .fill = fill_raw,
};

static int fill_directory(SourceJob *j, Error **err) {
        const char *path = j->bootstrap->source;
        _cleanup_close_ int fd = -1;
        SourceCopy copy = { j->report };
        TreeProgress progress = source_progress(&copy);
        int r;

        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return error_set(err, errno, "%s cannot be opened: %s", path,
                                 errno == ELOOP || errno == ENOTDIR ? "it is no folder"
                                                                    : strerror(errno));
        r = tree_copy(fd, j->root_fd, &progress, err);
        return r < 0 ? error_prefix(err, "copy of %s", path) : 0;
}

const RootSource source_directory = {
        .type = BOOTSTRAP_DIRECTORY,
        .stage = "Copying the folder",
        .makes_tree = true,
        .fill = fill_directory,
};

static int fill_clone(SourceJob *j, Error **err) {
        const char *from = j->bootstrap->source;
        _cleanup_volume_ Volume v = { 0 };
        _cleanup_free_ char *image = text_format("%s.raw", from);
        SourceCopy copy = { j->report };
        TreeProgress progress = source_progress(&copy);
        int r;

        if (!image)
                return -ENOMEM;
        r = volume_get(j->pool, from, &v, err);
        if (r < 0)
                return error_prefix(err, "container %s", from);
        copy.total = v.used == UINT64_MAX ? 0 : v.used;
        if (v.type == VOLUME_RAW)
                r = image_file_copy(j->pool->fd, image, j->new_fd, j->id, &progress, NULL);
        else
                r = j->pool->backend->snapshot(j->pool->fd, from, j->new_fd, j->id, false,
                                               &progress, err);
        return r < 0 ? error_set(err, -r, "%s cannot be copied: %s", from, strerror(-r)) : 0;
}

const RootSource source_clone = {
        .type = BOOTSTRAP_CLONE,
        .stage = "Cloning",
        .fill = fill_clone,
};

static int fill_base(SourceJob *j, Error **err) {
        _cleanup_base_ Base b = { 0 };
        SourceCopy copy = { j->report };
        TreeProgress progress = source_progress(&copy);
        int r;

        r = base_find(j->pool, j->bootstrap->source, &b, err);
        if (r < 0)
                return r;
        r = base_use(j->pool, &b, j->id, &progress);
        if (r < 0)
                return error_set(err, -r, "the base %s cannot be copied: %s", b.key, strerror(-r));
        image_command_done(&j->command);
        j->command = b.command;
        b.command = (ImageCommand){ 0 };
        return 0;
}

const RootSource source_base = {
        .type = BOOTSTRAP_BASE,
        .stage = "Copying the base",
        .fill = fill_base,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Trees as archives: a file of the host, or of a server when its SHA-256 is known.
 */

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/bootstrap/fetch.h"
#include "agent/bootstrap/source_file.h"
#include "agent/pool/archive.h"
#include "units/text.h"

int source_file_check(const SourceJob *j, int fd, const char *path, Error **err) {
        const char *wanted = j->bootstrap->sha256;
        char found[BASE_KEY_LENGTH + 1];
        int r;

        if (!wanted)
                return 0;
        r = sha256_fd(fd, j->report->canceled, j->report->userdata, found);
        if (r < 0)
                return error_set(err, -r, "%s cannot be read: %s", path, strerror(-r));
        if (strcasecmp(wanted, found) != 0)
                return error_set(err, EBADMSG,
                                 "the SHA-256 of %s is %s, not the %s of the definition: the file "
                                 "is damaged, or another one",
                                 path, found, wanted);
        if (lseek(fd, 0, SEEK_SET) < 0)
                return negative_errno();
        return 0;
}

int source_file_open(const char *path, struct stat *ret, Error **err) {
        _cleanup_close_ int fd = -1;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || fstat(fd, ret) < 0)
                return error_set(err, errno, "%s cannot be opened: %s", path, strerror(errno));
        if (!S_ISREG(ret->st_mode))
                return error_set(err, EINVAL, "%s is not a regular file", path);
        return TAKE_FD(fd);
}

/* Checked first, unpacked then: nothing of a wrong file is ever in the pool. Both read the same
 * open file; who may write to it may also say what is right. */
int source_tar_unpack(const SourceJob *j, const char *path, Error **err) {
        _cleanup_close_ int fd = -1;
        struct stat st = { 0 };
        SourceCopy copy = { j->report };
        TreeProgress progress = source_progress(&copy);
        int r;

        fd = source_file_open(path, &st, err);
        if (fd < 0)
                return fd;
        copy.total = (uint64_t) st.st_size;
        r = source_file_check(j, fd, path, err);
        if (r < 0)
                return r;
        r = archive_unpack(fd, j->root_fd, &archive_default_limits, 0, &progress, err);
        return r < 0 ? error_prefix(err, "%s", path) : 0;
}

static int fill(SourceJob *j, Error **err) {
        return source_tar_unpack(j, j->bootstrap->source, err);
}

const RootSource source_tar = {
        .type = BOOTSTRAP_TAR,
        .stage = "Unpacking the archive",
        .makes_tree = true,
        .fill = fill,
};

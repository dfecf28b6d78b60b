/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/device_probe.h"

#include <blkid.h>
#include <fcntl.h>

#define LOOK_BYTES ((size_t) 1024 * 1024)

DEFINE_CLEANUP(blkid_probe, blkid_free_probe)

/* NULL, and *err says why. */
static blkid_probe open_probe(const char *path, Error **err) {
        blkid_probe p = blkid_new_probe_from_filename(path);

        if (!p) {
                (void) error_set(err, EIO, "cannot look at what is on '%s': %s", path,
                                 strerror(errno > 0 ? errno : EIO));
                return NULL;
        }
        (void) blkid_probe_enable_superblocks(p, 1);
        (void) blkid_probe_set_superblocks_flags(p, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
                                                            BLKID_SUBLKS_UUID);
        (void) blkid_probe_enable_partitions(p, 1);
        return p;
}

static const char *value_of(blkid_probe p, const char *name) {
        const char *value;

        return blkid_probe_lookup_value(p, name, &value, NULL) == 0 ? value : NULL;
}

static char *describe(blkid_probe p) {
        const char *type = value_of(p, "TYPE"), *label = value_of(p, "LABEL"),
                   *table = value_of(p, "PTTYPE");
        char *text;

        if ((type ? asprintf(&text, "%s%s%s%s", type, label ? " '" : "", label ? label : "",
                             label ? "'" : "")
                  : asprintf(&text, "a partition table (%s)", table ? table : "unknown")) < 0)
                return NULL;
        return text;
}

/* All zeros, or all ones as of flash that was erased. */
static bool is_blank(const unsigned char *bytes, size_t size) {
        return size == 0 ||
               ((bytes[0] == 0 || bytes[0] == 0xff) && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Archives, images of other programs, encrypted disks: nobody knows what they are, and they are
 * not blank at their beginning. */
static int find_unknown(const char *path, char **ret, Error **err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_free_ unsigned char *bytes = malloc(LOOK_BYTES);
        size_t size = 0;
        ssize_t n = 1;

        if (!bytes)
                return -ENOMEM;
        while (fd >= 0 && n > 0 && size < LOOK_BYTES) {
                n = read(fd, bytes + size, LOOK_BYTES - size);
                size += n > 0 ? (size_t) n : 0;
        }
        if (fd < 0 || n < 0)
                return error_set(err, errno, "cannot look at what is on '%s': %s", path,
                                 strerror(errno));
        if (is_blank(bytes, size))
                return 0;
        *ret = strdup("of an unknown kind");
        return *ret ? 1 : -ENOMEM;
}

int device_find_data(const char *path, char **ret, Error **err) {
        _cleanup_(blkid_free_probep) blkid_probe p = open_probe(path, err);

        if (!p)
                return -EIO;
        switch (blkid_do_safeprobe(p)) {
        case 1:
                return find_unknown(path, ret, err);
        case 0:
                *ret = describe(p);
                return *ret ? 1 : -ENOMEM;
        case -2:
                *ret = strdup("more than one filesystem");
                return *ret ? 1 : -ENOMEM;
        }
        return error_set(err, EIO, "cannot look at what is on '%s'", path);
}

int device_is_formatted(const char *path, Error **err) {
        _cleanup_(blkid_free_probep) blkid_probe p = open_probe(path, err);
        int r;

        if (!p)
                return -EIO;
        r = blkid_do_safeprobe(p);
        if (r != 0 && r != 1 && r != -2)
                return error_set(err, EIO, "cannot look at what is on '%s'", path);
        return r != 1;
}

int device_uuid(const char *path, char **ret, Error **err) {
        _cleanup_(blkid_free_probep) blkid_probe p = open_probe(path, err);
        const char *uuid = NULL;

        if (!p)
                return -EIO;
        if (blkid_do_safeprobe(p) == 0)
                uuid = value_of(p, "UUID");
        if (!uuid)
                return error_set(err, ENOENT, "there is no filesystem with a UUID on '%s'", path);
        *ret = strdup(uuid);
        return *ret ? 0 : -ENOMEM;
}

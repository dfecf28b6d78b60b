/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/device_probe.h"

#include <blkid.h>

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

int device_find_data(const char *path, char **ret, Error **err) {
        _cleanup_(blkid_free_probep) blkid_probe p = open_probe(path, err);

        if (!p)
                return -EIO;
        switch (blkid_do_safeprobe(p)) {
        case 1:
                return 0;
        case 0:
                *ret = describe(p);
                return *ret ? 1 : -ENOMEM;
        case -2:
                *ret = strdup("more than one filesystem");
                return *ret ? 1 : -ENOMEM;
        }
        return error_set(err, EIO, "cannot look at what is on '%s'", path);
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

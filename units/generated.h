#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The files that a definition becomes. Formatting is pure (golden files test it); writing is atomic
 * and happens only when the content changes.
 *
 *   /etc/systemd/nspawn/NAME.nspawn
 *   /etc/systemd/system/systemd-nspawn@NAME.service.d/50-ctvirt.conf
 *   ROOT/etc/systemd/network/20-ctvirt-LINK.network   (address, routes, MAC; root of the container)
 */

#include "base/error.h"
#include "units/nspawn_link.h"
#include "xml/container_def.h"

/* Its name in the unit's folder. */
#define GENERATED_DROPIN "50-ctvirt.conf"

typedef struct GeneratedInput {
        const ContainerDef *def; /* with uuid, idmap and a MAC for every interface */
        char **bridges; /* one a NETWORK or BRIDGE interface in document order; "" for a network
                         * whose bridge is not known yet */
        unsigned systemd_version;    /* of the host: 252, 257 … (NETWORK_MAC needs 255) */
        const MachineId *machine_id; /* of the host; NULL: unknown. An address that nspawn derives
                                      * from it anyway is not written anywhere */

        /* Called for every file and folder that was made or replaced (SELinux labels); NULL: nobody
         * wants to know. */
        void (*on_written)(const char *path, void *userdata);
        void *userdata;
} GeneratedInput;

/*
 * Each returns an owned text. *ret is NULL (and 0 returned) when no such file is needed. -EINVAL:
 * the definition has a text that such a file cannot carry (a line break or another control
 * character, a bridge's name that ends in a backslash). -EFBIG: it would be
 * larger than what systemd takes for one line (LONG_LINE_MAX), or we read (NSPAWN_FILE_MAX).
 *
 * An <init> that is the container's own init (/sbin/init, systemd) means the same as none: boot, so
 * that the container can be told to shut down.
 */
int generated_nspawn_format(const GeneratedInput *in, char **ret);
int generated_dropin_format(const GeneratedInput *in, char **ret);
int generated_network_format(const GeneratedInput *in, size_t interface, char **ret);

/* Whether the container boots an init, which can be told to shut down. */
bool generated_boots_init(const ContainerDef *def);

/* The name that interface number i has inside: "host0", "host1", … or "mv-eth0". Owned. */
char *generated_link_inside(const ContainerDef *def, size_t interface);

typedef enum GeneratedChange {
        /* Drop-in, or bridges: of an enabled unit systemd has to know, by a daemon-reload. */
        GENERATED_UNIT_CHANGED = 1 << 0,
        GENERATED_CONTENT_CHANGED = 1 << 1, /* some other file */
        /* With the first: the drop-in, of which it has to know in any case. The generator makes
         * nothing of the bridges of a unit that is not enabled. */
        GENERATED_DROPIN_CHANGED = 1 << 2,
} GeneratedChange;

/* Host end of the veth pair of interface number i: "vb-NAME" (with a bridge unknown yet, nspawn
 * calls it "ve-NAME"), "vb1-NAME" …; NULL for a macvlan and when memory is short. Owned. */
char *generated_link_outside(const ContainerDef *def, size_t interface);

/*
 * Writes the files below host_root ("" on a host). Files of ours that are no longer needed are
 * removed. A file in the way that does not carry GENERATED_MARK: -EEXIST with a sentence that names
 * it, and nothing is changed. Network files go into the container's root only if the root exists;
 * every step into it is openat2(2) with RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS, a root that plays
 * tricks is -ELOOP or -EXDEV with a sentence. Returns a GeneratedChange mask.
 */
int generated_write(const char *host_root, const GeneratedInput *in, Error **err);

/* Removes everything that generated_write() makes (not the one folder or file that is not ours),
 * the .nspawn file last: while it is there an interrupted removal can be completed. container_root:
 * NULL is /var/lib/machines/CONTAINER; a root that plays tricks is left as it is. Mask as above. */
int generated_remove(const char *host_root, const char *container, const char *container_root,
                     Error **err);

/* Names of the containers that have a generated .nspawn file. */
int generated_list(const char *host_root, char ***ret);

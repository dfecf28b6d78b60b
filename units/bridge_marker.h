#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The marker of a bridge (there while the bridge is ready) and the record of the incarnation whose
 * start was queued. Small files of KEY=value lines in /run/ctvirt; whatever stands in them is
 * treated as untrusted: a file that does not parse counts as not there.
 */

#include <limits.h>

#include "base/strv.h"
#include "base/uuid.h"

typedef enum Witness {
        WITNESS_HOOK,    /* libvirt's network hook */
        WITNESS_LIBVIRT, /* an event or a list from libvirt */
        WITNESS_KERNEL,  /* rtnetlink */
} Witness;

const char *witness_to_string(Witness w);
int witness_from_string(const char *s); /* -EINVAL */

typedef struct BridgeMarker {
        unsigned ifindex;
        Witness witness;
        char *network;   /* NULL for a bridge that libvirt does not manage */
        char **networks; /* all that are named, of a record; for reading only */
        bool has_uuid;
        Uuid uuid;
        uint64_t realtime_usec;
        uint64_t monotonic_usec;
} BridgeMarker;

#define BRIDGE_MARKER_MAX 4096 /* bytes */

/* The text of a marker, both ways. Lines with keys of a later version are skipped; -EINVAL for text
 * that is no marker. marker_format writes the times that it is given. *ret is owned by the caller.
 */
int bridge_marker_parse(const char *text, size_t size, BridgeMarker *ret);
int bridge_marker_format(const BridgeMarker *marker, char **ret);

/* run_fd is a directory fd of CTVIRT_RUN_DIR. -ENOENT: no marker, or an unreadable one. */
int bridge_marker_read(int run_fd, const char *bridge, BridgeMarker *ret);

/* Fills in the time itself. Replaces atomically, 0644. -ENOSPC, -EROFS and the like as they come.
 */
int bridge_marker_write(int run_fd, const char *bridge, const BridgeMarker *marker);

/* 1 if it was there, 0 if not. */
int bridge_marker_remove(int run_fd, const char *bridge);

void bridge_marker_done(BridgeMarker *marker);
#define _cleanup_marker_ _cleanup_(bridge_marker_done)

/* In the record instead of an ifindex: that life has ended, and the stop of the bridge's targets is
 * not queued yet. No link has this ifindex. */
#define BRIDGE_ENDED ((unsigned) INT_MAX)

/* The ifindex whose start was queued; 0 if none is recorded (or the record is unreadable). */
int bridge_handled_read(int run_fd, const char *bridge, unsigned *ret_ifindex);
/* The same, and the networks whose targets were started (NULL: none). */
int bridge_handled_read_networks(int run_fd, const char *bridge, unsigned *ret_ifindex,
                                 char ***ret_networks);
/* Names for which there is no more room are left out. */
int bridge_handled_write(int run_fd, const char *bridge, unsigned ifindex, char *const *networks);
int bridge_handled_remove(int run_fd, const char *bridge);

/* Opens CTVIRT_RUN_DIR (made with its folders if they are missing, 0755). Returns the fd. */
int run_dir_open(void);
/* The same below another root, for tests ("" is the host's). */
int run_dir_open_at(const char *root);

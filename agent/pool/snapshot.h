#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots of a container: a read-only copy of its root, and a document beside it that says what
 * it is, libvirt's <domainsnapshot> (docs/formatsnapshot.rst) with the container's definition of
 * that time in it.
 *
 *   POOL_SNAPSHOTS/NAME/SNAP      the root (of an image: the file)
 *   POOL_SNAPSHOTS/NAME/SNAP.xml  the document
 *
 * There is a snapshot when both are there.
 */

#include "agent/pool/volume.h"

#define SNAPSHOT_NAME_MAX 128
#define SNAPSHOT_XML_MAX (4 * 1024 * 1024)

typedef enum SnapshotState {
        SNAPSHOT_RUNNING,
        SNAPSHOT_SHUTOFF,
} SnapshotState;

const char *snapshot_state_to_string(SnapshotState s); /* libvirt's: "running", "shutoff" */
int snapshot_state_from_string(const char *s);         /* -EINVAL */

typedef struct Snapshot {
        char *name;
        char *description; /* NULL: none */
        uint64_t created_usec;
        SnapshotState state; /* of the container, when it was made */
        char *definition;    /* <domain>…</domain>; NULL: it had none */
} Snapshot;

void snapshot_done(Snapshot *s);
#define _cleanup_snapshot_ _cleanup_(snapshot_done)

typedef struct SnapshotList {
        Snapshot *items; /* oldest first */
        size_t n_items;
} SnapshotList;

void snapshot_list_done(SnapshotList *l);
#define _cleanup_snapshot_list_ _cleanup_(snapshot_list_done)

/* 1 to SNAPSHOT_NAME_MAX of letters, digits and "-_.:+", no '.' or '-' at the start, no ".xml" at
 * the end. */
bool snapshot_name_is_valid(const char *s);

/* The document. -EINVAL, -EBADMSG, -EFBIG as xml_document_load(). */
int snapshot_parse(const char *xml, size_t size, const char *file, Snapshot *ret, Error **err);
/* Ends in a newline. -EINVAL: the definition is no XML. */
int snapshot_format(const Snapshot *s, char **ret, Error **err);

/* s->name must be set; created_usec 0 is now. -EEXIST, -ENOENT (no such container). The container
 * may be running: on btrfs it is what a power cut at that moment would leave; elsewhere files that
 * change meanwhile may be copied half changed. */
int snapshot_create(const Pool *p, const char *container, const Snapshot *s, const char *id,
                    const TreeProgress *progress, Error **err);
/* None at all is an empty list. Documents that cannot be read are left out (pool_check() has them).
 */
int snapshot_list(const Pool *p, const char *container, SnapshotList *ret);
/* 1 if the container has any, also damaged ones. */
int snapshot_any(const Pool *p, const char *container, Error **err);
/* -ENOENT. Whatever its document says. */
int snapshot_find(const Pool *p, const char *container, const char *name, Error **err);
/* -ENOENT, or what is wrong with its document. */
int snapshot_get(const Pool *p, const char *container, const char *name, Snapshot *ret,
                 Error **err);
/* The container's root is replaced by a copy of the snapshot in one step; what it was goes to the
 * trash; a limit is kept. Whether the container runs is the caller's to know. With definition a
 * POOL_INTENT_REVERT tells, from before that step on, that the definition is to follow: the caller
 * does that and removes it, also when this has failed. */
int snapshot_revert(const Pool *p, const char *container, const char *name, const char *id,
                    bool definition, const TreeProgress *progress, Error **err);
/* -ENOENT */
int snapshot_delete(const Pool *p, const char *container, const char *name, const char *id,
                    Error **err);
/* 1 if there were any. */
int snapshot_delete_all(const Pool *p, const char *container, const char *id, Error **err);

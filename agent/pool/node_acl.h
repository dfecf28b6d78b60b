#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NodeAcl: a POSIX ACL as the kernel's xattrs system.posix_acl_access and …_default have it
 * (linux/posix_acl_xattr.h), and the way from and to libarchive's. Numbers only: the names of an
 * archive are those of another system.
 */

#include <archive_entry.h>

#include "base/error.h"

typedef struct NodeAcl {
        void *data; /* NULL: none */
        size_t size;
} NodeAcl;

void node_acl_done(NodeAcl *acl);
#define _cleanup_node_acl_ _cleanup_(node_acl_done)

/* type is ARCHIVE_ENTRY_ACL_TYPE_ACCESS or …_DEFAULT. *ret stays empty if the entry has none, or
 * none beyond its mode. -EBADMSG, -ENOMEM */
int node_acl_of_entry(struct archive_entry *entry, int type, NodeAcl *ret, Error **err);

/* path is for errors. */
int node_acl_to_entry(struct archive_entry *entry, int type, const void *data, size_t size,
                      const char *path, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a file has beside its name and content, between an entry of libarchive and an open file.
 * Everything goes through the fd, so that no symlink is followed: fd may be O_PATH (device nodes,
 * fifos, symlinks), what cannot be done with that is done through /proc/self/fd.
 */

#include <archive_entry.h>
#include <sys/stat.h>

#include "agent/pool/archive.h"
#include "agent/pool/node_acl.h"

#define NODE_XATTRS_MAX ((size_t) 512 * 1024) /* bytes, of one file; libarchive reads 1 MiB */

/* type is ARCHIVE_ENTRY_ACL_TYPE_ACCESS or …_DEFAULT. */
int node_acl_apply(int fd, int type, const NodeAcl *acl);

/* Owner and xattrs. */
int node_apply_owner(int fd, struct archive_entry *entry, UnpackFlags flags, Error **err);
/* After that and after the content: mode, ACL, times. */
int node_apply_rest(int fd, struct archive_entry *entry, Error **err);

int node_chmod(int fd, mode_t mode);
int node_set_mtime(int fd, int64_t seconds, long nanoseconds);

/* Puts xattrs and ACLs of the file into the entry. path is for errors. */
int node_read_xattrs(int fd, struct archive_entry *entry, const char *path, Error **err);

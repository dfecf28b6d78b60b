#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A bundle: a whole container in one file, to be kept or carried to another host. A tar (pax)
 * stream, plain or compressed, that any tar can read:
 *
 *   ctvirt-bundle.xml     version, name, time, and the definition as text; the first member
 *   root/…                the tree
 *   ctvirt-bundle.sha256  64 hex digits and a newline: SHA-256 of the (uncompressed) stream up to
 *                         the header of this member, which is the last
 *
 * The digest finds damage; it proves nothing about who made the file. So what an import brings is
 * as hostile as any archive, and its definition is text that has to be parsed and checked.
 */

#include "agent/pool/archive.h"
#include "xml/bundle_info.h"

/* Writes one to fd; info is what it says of itself. Progress and errors as archive_pack(). */
int bundle_export(int root_fd, const BundleInfo *info, int fd, Compression compression,
                  const TreeProgress *progress, Error **err);

/* What a bundle says of itself, as soon as it is read; negative errno: it is not wanted. */
typedef int (*BundleInfoHandler)(void *userdata, const BundleInfo *info, Error **err);

/* Unpacks the tree of the bundle that comes from fd into the empty tree root_fd, for the caller to
 * publish if the result is 0: the digest stands at the end. on_info may be NULL. Progress and errors as archive_unpack();
 * -EBADMSG also for another digest, and members that are missing, doubled or in another place;
 * -EPROTONOSUPPORT for a version that is not known. */
int bundle_import(int fd, int root_fd, const ArchiveLimits *limits, BundleInfoHandler on_info,
                  void *userdata, BundleInfo *ret, const TreeProgress *progress, Error **err);

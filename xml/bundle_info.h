#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * BundleInfo: what a bundle (agent/pool/bundle.h) says of itself, ctvirt-bundle.xml:
 *
 *   <ctvirt-bundle version='1'>
 *     <name>web</name>
 *     <creationTime>1700000000</creationTime>
 *     <definition>&lt;domain type=…</definition>
 *   </ctvirt-bundle>
 *
 * The definition is text, so that it comes back byte for byte and that nobody reads it by accident.
 */

#include "base/error.h"

#define BUNDLE_VERSION 1
#define BUNDLE_XML_MAX ((size_t) 8 * 1024 * 1024) /* a definition, escaped */

typedef struct BundleInfo {
        char *name;            /* of the container; a valid one */
        char *definition;      /* XML that nobody has looked at */
        uint64_t created_usec; /* CLOCK_REALTIME, whole seconds */
} BundleInfo;

void bundle_info_done(BundleInfo *info);
#define _cleanup_bundle_info_ _cleanup_(bundle_info_done)

/* *ret is the caller's. -EINVAL: not a valid name, or text that XML cannot hold. */
int bundle_info_format(const BundleInfo *info, char **ret, Error **err);

/* -EBADMSG; -EPROTONOSUPPORT for a version that is not known; -ENOMEM. */
int bundle_info_parse(const char *xml, size_t size, BundleInfo *ret, Error **err);

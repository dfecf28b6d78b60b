#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DomainTaps: which tap device of a running virtual machine belongs on which bridge, as its live
 * XML says (docs/formatdomain.rst of libvirt): interfaces of type network and bridge that have both
 * a <source bridge=""/> and a <target dev=""/>.
 */

#include "base/error.h"

#define DOMAIN_XML_MAX (4 * 1024 * 1024) /* bytes; libvirt's own limit is lower */
#define DOMAIN_TAPS_MAX 256              /* of one machine; more are not looked at */

typedef struct DomainTap {
        char *link;
        char *bridge;
} DomainTap;

typedef struct DomainTaps {
        DomainTap *items;
        size_t n_items;
} DomainTaps;

/* Appends those of one machine. Interfaces with names that no link can have are left out. Hostile
 * input: as network_def_parse(). Errors: -EBADMSG, -EINVAL, -EFBIG, -ENOMEM. */
int domain_taps_parse(DomainTaps *taps, const char *xml, size_t size, Error **err);

void domain_taps_done(DomainTaps *taps);
#define _cleanup_domain_taps_ _cleanup_(domain_taps_done)

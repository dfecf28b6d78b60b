#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NetworkDef: the few facts about a libvirt network that matter to a container
 * (docs/formatnetwork.rst of libvirt). Read from four kinds of document: `<network>` (net-dumpxml
 * and the files under /etc/libvirt/qemu/networks), `<networkstatus>`
 * (/run/libvirt/network/NAME.xml), and `<hookData>` (what a network hook gets on stdin,
 * docs/hooks.rst).
 */

#include "base/error.h"
#include "base/uuid.h"

#define NETWORK_XML_MAX (4 * 1024 * 1024) /* bytes; libvirt's own limit is lower */

typedef struct NetworkDef {
        char *name;
        bool has_uuid;
        Uuid uuid;
        char *bridge;       /* NULL: a network without a bridge (macvtap pool, hostdev, …) */
        char *forward_mode; /* "nat", "route", "open", "bridge", …; NULL: isolated */
} NetworkDef;

/* True if libvirt creates and deletes the bridge itself (no forward mode, nat, route, open). With
 * forward mode 'bridge' it belongs to the host. */
bool network_def_owns_bridge(const NetworkDef *def);

/* Hostile input: as container_def_parse(). Errors: -EBADMSG, -EINVAL, -EFBIG, -ENOMEM. A bridge
 * name that the kernel would refuse is -EINVAL. */
int network_def_parse(const char *xml, size_t size, const char *file_name, NetworkDef **ret,
                      Error **err);

NetworkDef *network_def_free(NetworkDef *def);
DEFINE_CLEANUP(NetworkDef *, network_def_free)

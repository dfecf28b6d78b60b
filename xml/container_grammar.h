#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The part of the grammar of a definition that stands in a file of its own, and what its files
 * share.
 */

#include "xml/xml_reader.h"

/* The children of <devices>. */
extern const XmlElement container_devices_elements[];

/* <ip> and <route> of the interface that was opened last. */
int container_parse_ip(XmlReader *r, xmlNode *node, ContainerDef *def);
int container_parse_route(XmlReader *r, xmlNode *node, ContainerDef *def);

/* withheld='yes' of an element whose value is a secret: what stands for a value that dumpxml did not
 * show. what: whose value it is, for messages. */
int container_parse_withheld(XmlReader *r, xmlNode *node, const char *what, bool has_value,
                             bool *ret);

/* Elements of ours. */
int container_parse_bootstrap(XmlReader *r, xmlNode *node, ContainerDef *def);
int container_bootstrap_done(XmlReader *r, xmlNode *node, ContainerDef *def);
extern const XmlElement container_bootstrap_elements[];
int container_parse_first_boot(XmlReader *r, xmlNode *node, ContainerDef *def);
extern const XmlElement container_first_boot_elements[];
int container_parse_quota(XmlReader *r, xmlNode *node, ContainerDef *def);

#define CONTAINER_QUOTA_EXPECTED "from 1 MiB to 8 EiB"
#define CONTAINER_INITDIR_EXPECTED                                                                 \
        "an absolute path without '..' and control characters, and without a blank or a "          \
        "backslash at its end"
#define CONTAINER_USER_EXPECTED                                                                    \
        "a name of letters, digits, '_', '.' and '-', or an id, which may have a '+' before it"
#define CONTAINER_PATH_EXPECTED "an absolute path without '..' and control characters"

static inline InterfaceDef *container_last_interface(ContainerDef *def) {
        return &def->interfaces[def->n_interfaces - 1];
}

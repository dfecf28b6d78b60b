#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ContainerDef: what a person wrote in a definition, `<domain type='nspawn'>` or type='lxc' (same
 * grammar; libvirt's docs/formatdomain.rst and docs/drvlxc.rst). Pure data: it knows nothing of the
 * host it is on, so parse, check, compare and format need no system state.
 *
 * Elements and attributes that we do not know are kept in the place where they stood and written
 * back by container_def_format().
 */

#include <net/ethernet.h>

#include "base/error.h"
#include "base/strv.h"
#include "base/uuid.h"
#include "xml/bootstrap_def.h"
#include "xml/first_boot_def.h"

/* Elements of ours that libvirt does not have; any prefix. */
#define CONTAINER_NAMESPACE "http://ctvirt.org/schemas/container/1.0"

#define CONTAINER_XML_MAX (1024 * 1024) /* bytes; larger input is refused with -EFBIG */
#define CONTAINER_UID_RANGE 65536
#define CONTAINER_UID_FIRST UINT32_C(0x00080000) /* systemd's range for containers */
#define CONTAINER_UID_LAST UINT32_C(0x6fff0000)  /* the last base in it */
#define CONTAINER_VCPUS_MAX 4096
#define CONTAINER_MEMORY_MAX_KIB (INT64_MAX / 1024)
#define CONTAINER_QUOTA_MIN UINT64_C(0x100000) /* less is a unit that was forgotten */
#define CONTAINER_QUOTA_MAX ((uint64_t) INT64_MAX)

typedef enum ContainerType {
        CONTAINER_TYPE_NSPAWN,
        CONTAINER_TYPE_LXC,
} ContainerType;

typedef enum InterfaceType {
        INTERFACE_TYPE_NETWORK, /* <source network='default'/> */
        INTERFACE_TYPE_BRIDGE,  /* <source bridge='br0'/> */
        INTERFACE_TYPE_DIRECT,  /* <source dev='eth0' mode='bridge'/>: macvlan */
} InterfaceType;

/* What becomes of a running container when one of its networks stops:
 * <ct:on_network_stop xmlns:ct=CONTAINER_NAMESPACE>. */
typedef enum OnNetworkStop {
        ON_NETWORK_STOP_KEEP, /* it stays up, as libvirt leaves virtual machines up */
        ON_NETWORK_STOP_STOP,
} OnNetworkStop;

typedef struct UnknownXml {
        char **elements;   /* whole elements, serialised, in document order */
        char **attributes; /* "name=\"value\"" with the value escaped */

        /* Of known elements below that have no UnknownXml of their own: <memory dumpCore='on'>. */
        struct UnknownChild *children;
        size_t n_children;
} UnknownXml;

typedef struct UnknownChild {
        char *name;   /* "memory" */
        size_t index; /* of which <memory>, counted from 0 */
        UnknownXml unknown;
} UnknownChild;

typedef struct IpDef {
        int family;    /* AF_INET or AF_INET6 */
        char *address; /* canonical text (inet_ntop) */
        unsigned prefix;
} IpDef;

typedef struct RouteDef {
        int family;
        char *address; /* NULL: the default route ("0.0.0.0" or "::" with prefix 0) */
        unsigned prefix;
        char *gateway;
        unsigned metric; /* 0: not given */
} RouteDef;

typedef struct InterfaceDef {
        InterfaceType type;
        char *source; /* network name, bridge name, or parent link */
        bool has_mac;
        uint8_t mac[ETH_ALEN];
        IpDef *ips;
        size_t n_ips;
        RouteDef *routes;
        size_t n_routes;
        UnknownXml unknown;
        unsigned line; /* where it stands in the file */
} InterfaceDef;

typedef struct FilesystemDef {
        char *source; /* absolute path on the host */
        char *target; /* absolute path in the container; "/" is the root */
        bool readonly;
        UnknownXml unknown;
        unsigned line;
} FilesystemDef;

typedef struct EnvironmentDef {
        char *name;
        char *value;
        bool withheld; /* "" stands for a value that whoever wrote the document was not shown */
} EnvironmentDef;

typedef struct IdMapDef {
        bool present;
        uint32_t base;  /* host id of the container's id 0 */
        uint32_t count; /* always CONTAINER_UID_RANGE after container_def_check() */
} IdMapDef;

typedef struct ContainerDef {
        ContainerType type;
        char *name;
        bool has_uuid;
        Uuid uuid;
        char *title;
        char *description;
        uint64_t memory_kib;         /* <memory>: the limit; 0: not given */
        uint64_t current_memory_kib; /* <currentMemory>; 0: not given */
        unsigned vcpus;              /* 0: not given */

        char *init; /* <init>; NULL: boot the container's own init */
        char **initargs;
        char *initdir;   /* <initdir>: where the program is run; NULL: not given */
        char *inituser;  /* <inituser>: a name, an id, or an id behind '+'; NULL: root */
        char *initgroup; /* <initgroup>: likewise; .nspawn has no word for it */
        EnvironmentDef *environment;
        size_t n_environment;
        bool private_network; /* <features><privnet/></features> */

        IdMapDef idmap;
        FilesystemDef *filesystems;
        size_t n_filesystems;
        InterfaceDef *interfaces;
        size_t n_interfaces;
        size_t n_consoles;
        OnNetworkStop on_network_stop;
        BootstrapDef *bootstrap;  /* NULL: not given */
        FirstBootDef *first_boot; /* NULL: not given */
        uint64_t quota;           /* <ct:quota>, bytes of its root; 0: not given */

        /* Unknown content by the element that it stood in. */
        UnknownXml unknown;          /* <domain> */
        UnknownXml unknown_os;       /* <os> */
        UnknownXml unknown_features; /* <features> */
        UnknownXml unknown_devices;  /* <devices> */
} ContainerDef;

typedef enum ParseFlags {
        PARSE_VALIDATE = 1 << 0, /* unknown content is an error (schema), not a warning */
} ParseFlags;

/*
 * Parses one document of size bytes. file_name is what messages call it ("web.xml").
 *
 * No network access, no entity expansion, no DTD: a document with a DOCTYPE is refused.
 * *ret_warnings (may be NULL) gets a sentence with FILE:LINE for each unknown element or attribute
 * that is kept.
 *
 * Errors, all with file:line and the element in *err where there is one:
 *   -EBADMSG  not well-formed XML
 *   -EINVAL   well-formed, but not a definition (wrong root, missing or bad value, …)
 *   -EFBIG    larger than CONTAINER_XML_MAX
 *   -ENOMEM
 */
int container_def_parse(const char *xml, size_t size, const char *file_name, ParseFlags flags,
                        ContainerDef **ret, char ***ret_warnings, Error **err);

/* The rules that span elements (a source for each interface, no two filesystems on one target,
 * currentMemory within memory, a whole UID range, …) and the names that become file names.
 * container_def_parse() has checked them; for a definition that was built or changed by a program.
 * file_name may be NULL. */
int container_def_check(const ContainerDef *def, const char *file_name, Error **err);

/* Writes the definition as an indented document (ends in a newline) that parses back to an equal
 * definition. *ret is owned by the caller. -ENOMEM. */
int container_def_format(const ContainerDef *def, char **ret);

/* Takes the values of <initenv>, which often are secrets, and the hash of <ct:rootpassword> out: what
 * is left says withheld='yes'. */
void container_def_withhold(ContainerDef *def);

/* The name of the first variable whose value was withheld, or "rootpassword"; NULL if all are there.
 */
const char *container_def_withheld(const ContainerDef *def);

/* A deep copy; NULL when memory is short. */
ContainerDef *container_def_copy(const ContainerDef *def);

/* Equal in everything that container_def_format() writes. */
bool container_def_equal(const ContainerDef *a, const ContainerDef *b);

/* The source path of the root filesystem; NULL if the definition names none (the pool's own). */
const char *container_def_root(const ContainerDef *def);

const char *container_type_to_string(ContainerType t);
int container_type_from_string(const char *s); /* -EINVAL */
const char *interface_type_to_string(InterfaceType t);
int interface_type_from_string(const char *s); /* -EINVAL */
const char *on_network_stop_to_string(OnNetworkStop o);
int on_network_stop_from_string(const char *s); /* -EINVAL */

/* "52:54:00:aa:bb:cc"; mac_from_string refuses multicast and all-zero addresses with -EINVAL. */
#define MAC_STRING_MAX 18
const char *mac_to_string(const uint8_t mac[static ETH_ALEN], char buffer[static MAC_STRING_MAX]);
int mac_from_string(const char *s, uint8_t ret[static ETH_ALEN]);

ContainerDef *container_def_free(ContainerDef *def);
DEFINE_CLEANUP(ContainerDef *, container_def_free)

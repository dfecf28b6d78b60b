#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The values that stand in a definition, as strings: checked and brought into one form.
 */

#include <sys/socket.h>

#include "base/macro.h"

/* C0 (so also a newline), DEL and C1. */
bool has_control_character(const char *s);

/* An absolute path without '..' and control characters, shorter than PATH_MAX; "//", "/./" and a
 * slash at the end are dropped. -EINVAL, -ENOMEM. */
int clean_path(const char *s, char **ret);

/* Of what clean_path() made: it can be a whole value of a .nspawn file, no blank or backslash at its
 * end. */
bool directory_is_plain(const char *s);

/* <inituser>, <initgroup>: a name of letters, digits, '_', '.' and '-', or an id, which may have a
 * '+' before it (libvirt's genericName). */
bool init_user_is_valid(const char *s);

/* <initenv>: letters, digits and '_', no digit first. */
bool variable_name_is_valid(const char *s);

/* number and unit (NULL: bytes) as libvirt's virScaleInteger: "KB" is 1000, "K" and "KiB" are 1024
 * bytes. -EINVAL: no such unit; -ERANGE: too much. */
int scale_bytes(uint64_t number, const char *unit, uint64_t *ret);

/* number and unit (NULL: KiB) as libvirt's virDomainParseMemory. Rounded up to KiB. -EINVAL: no such unit; -ERANGE: 0 or too much. */
int scale_memory(uint64_t number, const char *unit, uint64_t *ret_kib);

/* Canonical text of an address; *family AF_UNSPEC finds out which family it is. -EINVAL for what is
 * not an address of the family. bytes gets 4 or 16 bytes in network order. */
int canonical_address(const char *s, int *family, char **ret, uint8_t bytes[static 16]);

/* What libvirt takes for the prefix when none is given: by class for IPv4, 64 for IPv6; 0 if the
 * address has none (class D and E). */
unsigned natural_prefix(int family, const uint8_t bytes[static 16]);

/* The length of a contiguous IPv4 netmask such as 255.255.255.0; -EINVAL. */
int netmask_to_prefix(const char *s, unsigned *ret);

/* True if no bit behind the prefix is set. */
bool is_network_address(int family, const uint8_t bytes[static 16], unsigned prefix);

/* An address that an interface can have: not unspecified, not multicast, not reserved. */
bool is_host_address(int family, const uint8_t bytes[static 16]);

static inline unsigned max_prefix(int family) {
        return family == AF_INET ? 32 : 128;
}

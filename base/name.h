#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The names that reach us from outside, checked once at the border. A name that passed its check
 * can be used as a file name, as a part of a unit name and in a generated file as it is.
 */

#include "base/macro.h"

#define CONTAINER_NAME_MAX 64 /* HOST_NAME_MAX; machine names of systemd are host names */
#define NETWORK_NAME_MAX 255

/* A machine name as systemd-nspawn and machined accept it (hostname_is_valid of systemd): labels of
 * letters, digits, '-' and '_' parted by single dots, no dash at a label's end, at most 64
 * characters. Stricter in one point: no leading dash or dot. */
bool container_name_is_valid(const char *s);

/* A link name as the kernel accepts it (dev_valid_name of net/core/dev.c), printable ASCII only,
 * without '%', ':' and '/': 1 to 15 characters, not "." or "..", and not all digits. */
bool link_name_is_valid(const char *s);

/* A network name as libvirt accepts it and as a file name can carry it: not empty, no '/', no
 * control character, not "." or "..", at most 255 bytes. */
bool network_name_is_valid(const char *s);

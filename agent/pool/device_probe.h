#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is on a block device or in an image, by libblkid.
 */

#include "base/error.h"

/* 1 if there is data on it, and *ret says what, for people ("ext4 'home'"); 0 if not. */
int device_find_data(const char *path, char **ret, Error **err);

/* 1 if there is a partition table or a filesystem on it that libblkid knows; 0 if not. */
int device_is_formatted(const char *path, Error **err);

/* The UUID of the filesystem on it. -ENOENT: there is none. */
int device_uuid(const char *path, char **ret, Error **err);

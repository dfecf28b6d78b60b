#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sources that are one file of the host.
 */

#include <sys/stat.h>

#include "agent/bootstrap/source.h"

/* The file, if it is a regular one. */
int source_file_open(const char *path, struct stat *ret, Error **err);
/* Its SHA-256 is the definition's, if that has one; fd is at its start then. -EBADMSG */
int source_file_check(const SourceJob *j, int fd, const char *path, Error **err);
/* Checks and unpacks it into the tree. */
int source_tar_unpack(const SourceJob *j, const char *path, Error **err);
/* Copies and checks it as the image. */
int source_raw_copy(const SourceJob *j, const char *path, Error **err);

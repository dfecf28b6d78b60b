#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether what a source has made can be the root of that container, before it takes the place of
 * the one that is there: an archive with its tree in a folder unpacks as well as any other.
 */

#include "agent/bootstrap/bootstrap.h"

/*
 * A container that boots has an os-release file, for which systemd-nspawn looks before it boots
 * (path_is_os_tree(), called by run() in src/nspawn/nspawn.c), or one of the programs that it
 * boots; another one has its program, or at least /usr, and is not empty. *warnings: what is
 * missing and can still come. No symlink leads out of the tree. -ENOMEDIUM: it is none, and *err
 * says what it is, and what to do.
 */
int root_check_tree(int root_fd, const ContainerDef *def, const ImageCommand *command,
                    char ***warnings, Error **err);

/* A disk image has a partition table or a filesystem, of whatever kind. path: absolute. */
int root_check_image(const char *path, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a person who defines a container should hear, though nothing is wrong with the definition.
 * Negative errno: -ENOMEM.
 */

#include "agent/container.h"

/* Which changes a running container does not see before its next start. old: NULL, or the container
 * as it was defined until now. */
int define_warn_running(const Container *old, const ContainerDef *def, char ***warnings);

/* That a container loses all of its interfaces. nspawn then gives it no network of its own, as
 * libvirt's LXC driver does, unless <privnet/> says so. old: as above. */
int define_warn_network(const Container *old, const ContainerDef *def, char ***warnings);

/* Elements that are kept and have no effect in this definition. */
int define_warn_unused(const ContainerDef *def, char ***warnings);

/* Folders that the definition names and that are not there (yet); with root also the root. */
int define_warn_missing(const ContainerDef *def, bool root, char ***warnings);

/* Snapshots in the pool under its name that were made of another container (with another UUID): a
 * revert to them would give it that one's root. */
int define_warn_snapshots(const char *root, const ContainerDef *def, char ***warnings);

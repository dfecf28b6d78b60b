#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The package database of a root tree that the host's dnf has filled: the host's rpm may have put it
 * elsewhere, and in another format, than the tree's own rpm looks for.
 */

#include "agent/bootstrap/root_tree.h"

/* Where the tree's rpm has its database, %_dbpath of its own macros: "/var/lib/rpm". Owned.
 * -ENOENT: there is no rpm in the tree. */
int rpm_database_path(const RootTree *t, char **ret);

/* Moves what Debian's rpm has made in /root/.rpmdb (its %_dbpath) there. 1: moved; 0: nothing to do. */
int rpm_database_move(const RootTree *t, Error **err);

/* 1: the files are of another backend (bdb, ndb, sqlite) than the tree's rpm has by default
 * (%_db_backend), so "rpmdb --rebuilddb" has to be run inside; 0: they fit, or there is nothing. */
int rpm_database_needs_rebuild(int root_fd);

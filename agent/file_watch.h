#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * FileWatch: notices that a person wrote a .nspawn file or enabled a unit by hand and told nobody.
 * If that changes which bridges an enabled container needs, systemd has to reload, so that the
 * generator gates it before it is started the next time.
 *
 * Drop-ins are not watched: systemd itself takes no notice of them before a daemon-reload, and that
 * runs the generator.
 */

#include "agent/manager.h"

int file_watch_new(Manager *m, FileWatch **ret);
/* True if something has changed since then (CLOCK_MONOTONIC); w may be NULL. */
bool file_watch_changed_since(const FileWatch *w, uint64_t usec);
FileWatch *file_watch_free(FileWatch *w);
DEFINE_CLEANUP(FileWatch *, file_watch_free)

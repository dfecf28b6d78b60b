#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * MarkerWatch: notices what the hook writes (inotify(7) on CTVIRT_BRIDGES_DIR and
 * CTVIRT_HANDLED_DIR), and has the bridge looked at. Folders that somebody removes are made again.
 */

#include "agent/manager.h"

int marker_watch_new(Manager *m, MarkerWatch **ret);

MarkerWatch *marker_watch_free(MarkerWatch *w);
DEFINE_CLEANUP(MarkerWatch *, marker_watch_free)

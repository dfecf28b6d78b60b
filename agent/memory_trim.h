#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gives back what only the start needed: libvirt's client library brings some thirty others, whose
 * constructors and relocations touch 18 MiB of files that are hardly ever looked at again. The pages
 * stay in the page cache; those that are needed come back when they are touched.
 */

#include <systemd/sd-event.h>

/* Once, some seconds from now; called again before that, the time begins anew. *source is NULL at
 * first and belongs to the caller. Negative errno. */
int memory_trim_soon(sd_event *event, sd_event_source **source);

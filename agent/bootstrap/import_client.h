#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * systemd-importd over the system bus (org.freedesktop.import1(5)): pulls an image over http and
 * verifies it. It can only make images that have a name in /var/lib/machines.
 */

#include "agent/bootstrap/job_report.h"
#include "base/error.h"

typedef struct ImportPull {
        bool raw;           /* PullRaw, else PullTar */
        const char *url;    /* http or https */
        const char *name;   /* of the image that it makes */
        const char *verify; /* "no", "checksum", "signature" */
        const JobReport *report;
} ImportPull;

/* Returns when the image is there. A transfer of which nothing is heard for 120 s is tried once
 * more; -ETIMEDOUT if that is no better. -ECANCELED: the transfer was canceled; -EEXIST; else what
 * it said last is in the error. */
int import_pull(const ImportPull *p, Error **err);

/* Ends the transfer that makes the image of that name, and returns when it is over: at once if there
 * is none. */
int import_cancel(const char *name);

/* The name under which importd keeps its own copy of what is at the URL, without an ETag: hidden
 * beside the images, and the reason why a second pull of the same URL fails on systemd 252. With an
 * ETag, a '.' and more follow. raw: without ".raw" at its end. NULL when memory is short. */
char *import_hidden_name(const char *url, bool raw);

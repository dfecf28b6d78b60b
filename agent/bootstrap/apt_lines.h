#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where apt installs from: one line of sources.list(5) for each repository, as the host's tool
 * needs it and as it will stand in the container.
 */

#include "agent/bootstrap/source.h"

typedef struct AptLine {
        char *url, *suite, *components; /* components: parted by blanks */
        char *key;                      /* a file on the host; NULL: what apt trusts anyhow */
        char *id;
        bool trusted; /* nothing is verified */
} AptLine;

typedef struct AptLines {
        AptLine *items; /* the first has the release itself */
        size_t n_items;
        char **files; /* of the definition: absolute paths */
} AptLines;

/* Mirrors of the definition stand for all repositories of the recipe. Keys are looked for, and
 * fetched if there are none. */
int apt_lines_make(const SourceJob *j, AptLines *ret, Error **err);
void apt_lines_done(AptLines *l);
#define _cleanup_apt_lines_ _cleanup_(apt_lines_done)

/* "deb [signed-by=…] URL SUITE COMPONENTS". On the host file:// is read as copy://, since the tool
 * changes its root. key is the path of the key where the line stands; NULL: none. */
char *apt_line_format(const AptLine *l, bool on_host, const char *key);

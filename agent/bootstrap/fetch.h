#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Files from elsewhere (curl), and keys of repositories, which are only as good as their
 * fingerprints (gpg).
 */

#include "agent/bootstrap/source.h"

/* Over http or https, with secure https only, redirections as well. path must not exist. */
int fetch_file(const SourceJob *j, const char *url, bool secure, const char *path, Error **err);

typedef struct KeySource {
        const char *what;          /* "repository updates" */
        char *const *paths;        /* absolute; the first that is there counts */
        char *const *urls;         /* https; only if no path is there */
        char *const *fingerprints; /* needed for URLs: nothing else is taken from them */
        const char *hint;          /* a sentence; NULL */
} KeySource;

/* The keys of a repository as one file, which is one of paths or lies in SourceJob.work. -ENOKEY:
 * there are none, with the hint. */
int key_find(const SourceJob *j, const KeySource *k, char **ret_path, Error **err);

/* The same for a repository of the definition: an absolute path, or a URL (https), which is taken
 * at its word. */
int key_of_definition(const SourceJob *j, const RepositoryDef *d, char **ret_path, Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/source.h"

typedef struct DnfRepository {
        char *id;
        char **urls; /* baseurl=; NULL: metalink */
        char *metalink;
        char **keys; /* files on the host */
        bool unverified;
} DnfRepository;

typedef struct DnfSetup {
        DnfRepository *repositories;
        size_t n_repositories;
        char **files; /* of the definition: absolute paths */
} DnfSetup;

void dnf_setup_done(DnfSetup *s);
#define _cleanup_dnf_setup_ _cleanup_(dnf_setup_done)

/* Mirrors of the definition stand for all repositories of the recipe. Keys are looked for, and
 * fetched if there are none. */
int dnf_setup_make(const SourceJob *j, DnfSetup *ret, Error **err);

/* The text of the .repo file. */
char *dnf_repositories_format(const DnfSetup *s);
/* The text of dnf.conf. */
char *dnf_config_format(const SourceJob *j);
/* The command line; program is dnf's, see dnf_program(). */
int dnf_arguments(const SourceJob *j, const char *program, char ***ret);
/* "dnf5", "dnf" or "dnf-3": what is there. */
const char *dnf_program(void);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a definition to a root that can be booted: source or base, first boot, publish.
 */

#include "agent/bootstrap/job_report.h"
#include "agent/pool/pool.h"
#include "xml/container_def.h"

#define BOOTSTRAP_BASE_MAX_AGE_USEC (UINT64_C(7) * 24 * 3600 * 1000000)

typedef struct BootstrapOptions {
        bool replace;               /* what has the name already goes to the trash */
        uint64_t base_max_age_usec; /* an older base is made anew; UINT64_MAX: none is too old */
        const char *root;           /* below which recipes are looked for; NULL on a host */
} BootstrapOptions;

/* What an image wants to run, as its configuration says it: <init>, <initarg>, <initenv> of an
 * application container. */
typedef struct ImageCommand {
        char **arguments;   /* the program and its arguments; NULL: the image names none */
        char **environment; /* "NAME=value" */
        char *directory;    /* to run it in; NULL: / */
        char *user;         /* "1000:1000", a name, …; NULL: root */
} ImageCommand;

typedef struct BootstrapResult {
        char **warnings;      /* sentences: what was not done and stops nothing */
        char *base;           /* key of the base that was used or kept; NULL: none */
        ImageCommand command; /* of BOOTSTRAP_OCI */
} BootstrapResult;

void image_command_done(ImageCommand *c);
void bootstrap_result_done(BootstrapResult *r);
#define _cleanup_bootstrap_result_ _cleanup_(bootstrap_result_done)

/* Makes the root of def in the pool, as job id. A base with the same key is used if there is one
 * and def allows it, and is kept if not. -EEXIST: the name is taken and replace is false;
 * -ECANCELED; else the error names the step, the tool's last lines and what to try. What the tools
 * say goes to report->line(), every line of it. */
int bootstrap_run(const Pool *pool, const ContainerDef *def, const char *id,
                  const BootstrapOptions *options, const JobReport *report, BootstrapResult *ret,
                  Error **err);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Define and undefine: the two transactions on the host's files. The definition's XML file is the
 * commit point of both; everything else follows from it and can be made again at the agent's next
 * start (reconcile.h), so that a crash leaves the old state or the new one.
 */

#include "agent/manager.h"

typedef enum DefineFlags {
        DEFINE_VALIDATE = 1 << 0,  /* unknown content is an error, not a warning */
        DEFINE_BOOTSTRAP = 1 << 1, /* the root is made next: no warning that there is none yet */
} DefineFlags;

typedef struct DefineResult {
        char *name;
        bool redefined; /* there was a definition of that name */
        bool reload;    /* systemd has to reload before it knows all of it */
        char **warnings;
} DefineResult;

/* Everything that can be refused is refused before anything is written. Errors, with a sentence:
 * those of definition_complete() and bridges_resolve(), -EBADMSG for the document, -EEXIST for a
 * file in the way, others for a failed write, which has been taken back. */
int define_container(Manager *m, const char *xml, size_t size, const char *file_name,
                     DefineFlags flags, DefineResult *ret, Error **err);
void define_result_done(DefineResult *r);
#define _cleanup_define_result_ _cleanup_(define_result_done)

/* First half of an undefine: the XML goes, and with it the definition. What remains is to disable
 * the unit, which is systemd's work, and then the second half. */
int undefine_commit(Manager *m, Container *c, Error **err);

/* Second half: the generated files go, unless the container has been defined again meanwhile. root:
 * where its tree is; NULL: in the pool. 1 if systemd has to reload. */
int undefine_finish(Manager *m, const char *name, const char *root, Error **err);

/* Writes the files of a definition whose bridges are known (or not). GeneratedChange mask. */
int define_generate(Manager *m, const ContainerDef *def, char **bridges, Error **err);

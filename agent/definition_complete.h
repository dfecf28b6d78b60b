#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a definition gets on this host when the person left it out, or what it may not change: UUID,
 * range of ids, MAC addresses. Once given they stay, as they are written into the XML. And what it was
 * not shown: values of the environment.
 */

#include "agent/manager.h"

/*
 * old: the container that is to be redefined; NULL if there is none of that name. file_name is what
 * messages call the document. Errors, with a sentence:
 *   -EEXIST   the UUID, the ids or the root are somebody else's
 *   -EBUSY    an identity that is fixed was to be changed
 *   -EBADMSG  the definition contradicts itself
 */
int definition_complete(const Manager *m, const Container *old, ContainerDef *def,
                        const char *file_name, char ***warnings, Error **err);

/* What definition_complete() refuses, of a definition that was not defined through us: whether
 * another container has its UUID, its ids or its root, or it contradicts itself. The same errors. */
int definition_check_stored(const Manager *m, const ContainerDef *def, const char *file_name,
                            Error **err);

/* A sentence for each other container with one of its MAC addresses. */
int definition_warn_of_macs(const Manager *m, const ContainerDef *def, char ***warnings);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DefinitionStore: the definitions on disk, /etc/ctvirt/containers/NAME.xml. A file is there whole
 * or not at all, and its presence is what "defined" means: saving it commits a definition, removing
 * it undoes one.
 */

#include "base/strv.h"
#include "xml/container_def.h"

#define DEFINITION_DIR "/etc/ctvirt/containers"

typedef struct StoredDefinition {
        char *name;        /* from the file's name */
        ContainerDef *def; /* NULL: it could not be read */
        char *problem;     /* then: why, with file and line */
} StoredDefinition;

typedef struct StoredDefinitions {
        StoredDefinition *items;
        size_t n_items;
        bool no_folder; /* there is not even a folder: no sign of what is defined */
} StoredDefinitions;

/* Reads them all. Files with other names are not looked at. Negative errno when the folder cannot
 * be read; a file that cannot be read or parsed is an item with a problem. root: as
 * nspawn_file_load(). */
int definition_store_load(const char *root, StoredDefinitions *ret);
void stored_definitions_done(StoredDefinitions *s);
#define _cleanup_stored_definitions_ _cleanup_(stored_definitions_done)

/* Replaces or makes the file of def, durably. 1 if written, 0 if it was there like that. */
int definition_store_save(const char *root, const ContainerDef *def);

/* 1 if it was there, 0 if not; durable. */
int definition_store_remove(const char *root, const char *name);

/* The file as it is, for taking a change back: *ret is NULL when there is none. restore() puts that
 * state back, durably. */
int definition_store_keep(const char *root, const char *name, char **ret, size_t *ret_size);
int definition_store_restore(const char *root, const char *name, const char *xml, size_t size);

/* Makes all definitions readable by their owner only. */
int definition_store_protect(const char *root);

/* Removes what interrupted writes have left: in the folder of the definitions, and among the
 * generated files in folders that others use too only names that our writes make. */
int definition_store_clean(const char *root);

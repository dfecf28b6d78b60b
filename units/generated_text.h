#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the three kinds of generated files have in common. Private to generated_*.c.
 */

#include "units/generated.h"

/* Begins a file: a memory stream with the lines that mark it as generated. */
FILE *generated_begin(const ContainerDef *def, char **text, size_t *size);

/* Ends it and publishes the text. */
int generated_end(FILE *f, char **text, char **ret);

/* "KEY=VALUE\n". -EINVAL if the value cannot stand there as it is. */
int generated_put(FILE *f, const char *key, const char *value);

bool interface_is_bridged(const InterfaceDef *i);

/* How many interfaces of the same kind (bridged, or macvlan) stand before this one. */
unsigned interface_index(const ContainerDef *def, size_t interface);

/* The address that nspawn gives to this interface by itself; false if that cannot be told. */
bool interface_derived_mac(const GeneratedInput *in, size_t interface,
                           uint8_t ret[static ETH_ALEN]);

/* True if the definition's address must be set by other means than nspawn's own derivation. */
bool interface_needs_mac(const GeneratedInput *in, size_t interface);

/* Where the container's tree is: <filesystem> for "/", or its place in the pool. Owned. */
char *generated_root(const ContainerDef *def);

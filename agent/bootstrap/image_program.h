#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the configuration of an image wants to run, brought into the words of a definition.
 */

#include "agent/bootstrap/bootstrap.h"

/* Makes the program a path in the tree: a name without a slash is looked for in the PATH of the
 * image, a relative path starts in its folder, which is made if it is not there. What will not work at the container's start is told
 * by a sentence in *warnings: a program that is not there, a user without an entry in /etc/passwd
 * (systemd-nspawn looks for one, also for an id). */
int image_program_find(int root_fd, ImageCommand *c, char ***warnings);

/* The program is one that systemd-nspawn boots. */
bool image_program_is_init(const char *path);

/* Completes def by what it does not say itself. An image whose program is an init is booted, so it
 * gets no <init>, and its user and folder do not matter. 1: something was added; 0: nothing. */
int image_program_apply(const ImageCommand *c, ContainerDef *def, char ***warnings);

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How the program of a container is run: <init> with <initarg>, <initenv>, <initdir>, <inituser>,
 * <initgroup>.
 */

#include "xml/container_def.h"

/* Takes over from another definition what def does not say itself: program and arguments if it has
 * neither, each variable that it does not name, and each of the rest. 1: something was; 0: nothing;
 * -ENOMEM leaves def half filled. */
int container_def_fill_program(ContainerDef *def, const ContainerDef *from);

/* Adds a variable, or gives the one of that name another value. -ENOMEM. */
int container_def_set_variable(ContainerDef *def, const char *name, const char *value);

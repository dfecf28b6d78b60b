#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/apt_lines.h"

/* The command lines, for who runs them and for tests. */
int mmdebstrap_arguments(const SourceJob *j, const AptLines *lines, char ***ret);
int debootstrap_arguments(const SourceJob *j, const AptLines *lines, char ***ret);

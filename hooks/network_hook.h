#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The module network-hook.so: the hook's work, and all libraries that it needs. Apart from the
 * program, because a program whose libraries cannot be loaded fails before its first line.
 */

#include "base/macro.h"

#define NETWORK_HOOK_ENTRY "ctvirt_network_hook"

/* argv is the program's. deadline_usec: see deadline_now(). */
typedef void (*NetworkHook)(int argc, char *argv[], uint64_t deadline_usec);

__attribute__((visibility("default"))) void ctvirt_network_hook(int argc, char *argv[],
                                                                uint64_t deadline_usec);

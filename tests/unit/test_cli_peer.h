#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A peer that speaks agent/api.h on a private socket, with fixed answers: enough for the forms of
 * the client's output, and for nothing else. What the agent does is tested with the agent.
 */

#include "base/macro.h"

/* Serves on a socket below directory until the process ends; *ret is the socket's path. */
int peer_start(const char *directory, char **ret);

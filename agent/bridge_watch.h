#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * BridgeWatch: gathers the facts about a bridge, has bridge_decide() say what they mean, and does
 * it. Everything that others call is in manager.h; this is for those who own it.
 */

#include "agent/manager.h"

/* Has all bridges looked at when the event loop gets to it. */
void bridge_watch_check_all_soon(BridgeWatch *w);

DEFINE_CLEANUP(BridgeWatch *, bridge_watch_free)

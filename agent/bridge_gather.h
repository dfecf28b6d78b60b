#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gathering the facts about one bridge: the link from the kernel, the records from their files,
 * both at this moment; libvirt's word from the table.
 */

#include "agent/bridge_decision.h"
#include "agent/manager.h"
#include "units/bridge_link.h"

/* How long libvirt may leave the question for a list unanswered before we go on without: a daemon
 * that hangs must not keep bridges of others from being ready. */
#define LIST_PATIENCE_USEC (5 * 1000000ULL)

/* What has to be remembered between two looks. */
typedef struct BridgeSight {
        unsigned up_ifindex;
        uint64_t up_usec; /* when it was first seen up, or its records were last seen to vanish */
        uint64_t asked_usec; /* when libvirt was asked since; 0: not yet */
        bool recorded;       /* it was marked or handled when we last looked */
} BridgeSight;

typedef struct BridgeGathered {
        BridgeFacts facts;
        BridgeLink link;
        BridgeMarker marker; /* ifindex 0: none */
        bool managed;
        const Network *network; /* of the bridge; NULL: none known */
} BridgeGathered;

int bridge_gather(const Manager *m, const char *bridge, BridgeSight *sight, BridgeGathered *ret);
void bridge_gathered_done(BridgeGathered *g);

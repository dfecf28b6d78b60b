#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bridge: one bridge that BridgeWatch looks after: what is remembered of it between two looks, and
 * what is done when the facts ask for it.
 */

#include "agent/bridge_gather.h"
#include "agent/pid1_line.h"

typedef struct Bridge {
        Manager *m;
        Pid1Line *line;
        char *name;
        char *target;       /* ctvirt-autostart@NAME.target */
        char *ready_target; /* ctvirt-bridge@NAME.target */
        BridgeSight sight;
        unsigned plugged_ifindex; /* containers' links were put on this incarnation */
        unsigned ready_ifindex;   /* the manager knows of this incarnation */
        unsigned made_ifindex;    /* the edge of this incarnation is ours */
        unsigned ordered_ifindex; /* the line has a start on this incarnation's account */
        bool seen_not_ready;      /* so that what becomes ready is news, not the state we came to */
        bool stopping;            /* the line has, or had, a stop on our account */
        bool overtaken;           /* and somebody else's start came in between: it is made again */
        bool waiting;             /* for the line */
        bool complained;
        uint64_t failing_usec; /* since when; 0: all is well */
        uint64_t retry_usec;
        sd_event_source *timer;
} Bridge;

/* name has passed link_name_is_valid(). -ENOMEM. */
int bridge_new(Manager *m, Pid1Line *line, const char *name, Bridge **ret);

/* Looks at the facts, does what they ask for, and tells the manager. Looks again by itself if
 * something has to be retried. Returns true if there is nothing left worth remembering. */
bool bridge_look(Bridge *b);

Bridge *bridge_free(Bridge *b);
DEFINE_CLEANUP(Bridge *, bridge_free)

#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What to do about a bridge: one pure function over plain facts. Who reported what, in which order,
 * and what has been done before does not matter: the facts are gathered anew each time, so that
 * looking once too often is harmless.
 *
 * tests/unit/test_bridge_decision.c has a row a situation and is the specification.
 */

#include "units/bridge_marker.h"

/* What libvirt says of the networks that name the bridge. */
typedef enum LibvirtView {
        LIBVIRT_VIEW_NONE,    /* there is no such network */
        LIBVIRT_VIEW_UNKNOWN, /* there is one, but libvirt is not connected, or what it said is
                               * older than this incarnation */
        LIBVIRT_VIEW_INACTIVE,
        LIBVIRT_VIEW_ACTIVE,
} LibvirtView;

/* Whether libvirt's word is one of after this incarnation was first seen up. libvirt sends no event
 * for networks that it starts by itself (autostart, SIGHUP), nor for a transient one that it has
 * just begun to start, so it has to be asked. It answers when the start has ended. */
typedef enum LibvirtList {
        LIBVIRT_LIST_NOT_ASKED,
        LIBVIRT_LIST_PENDING,
        LIBVIRT_LIST_ANSWERED,
        LIBVIRT_LIST_UNAVAILABLE, /* not connected, or it does not answer */
} LibvirtList;

/* An incarnation written down somewhere, compared with that of the link. */
typedef enum Recorded {
        RECORDED_NONE,
        RECORDED_SAME,
        RECORDED_OTHER, /* of a link that is no more; always, when there is no link */
} Recorded;

typedef enum LinkState {
        LINK_ABSENT,
        LINK_DOWN,
        LINK_UP,
} LinkState;

typedef struct BridgeFacts {
        LinkState link;
        LibvirtView libvirt;
        LibvirtList list;
        Recorded marker;
        Recorded handled;
        /* The marker was written after libvirt was asked what `libvirt` says, so that a start may
         * have begun since: inside the hook, libvirt still calls the network inactive. */
        bool marker_is_newer;
} BridgeFacts;

typedef enum BridgeAction {
        BRIDGE_NOTHING,
        BRIDGE_EDGE,   /* it became ready: marker, start, record */
        BRIDGE_MARK,   /* ready and handled, but the marker is missing: only that */
        BRIDGE_UNMARK, /* not ready for now, but the incarnation lives on: the record stays */
        BRIDGE_GONE,   /* this life has ended: marker and record go, the targets are stopped */
        BRIDGE_RELIST, /* only libvirt knows */
} BridgeAction;

BridgeAction bridge_decide(const BridgeFacts *facts);

/* Ready in the design's sense, whether or not this has been handled. */
bool bridge_facts_ready(const BridgeFacts *facts);

const char *bridge_action_to_string(BridgeAction a);

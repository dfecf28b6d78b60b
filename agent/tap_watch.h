#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * TapWatch: the tap devices of virtual machines, put back on the bridge of a libvirt network that
 * was made again under them. libvirt leaves them where they are, without a bridge, until its daemon
 * is restarted.
 *
 * libvirt is asked only when there is such a tap device at all, and only those that have no master
 * are touched.
 */

#include "agent/libvirt_queue.h"
#include "agent/manager.h"

int tap_watch_new(Manager *m, TapWatch **ret);

/* A bridge became ready, or was found so. */
void tap_watch_on_bridge(TapWatch *t, const char *bridge);

/* There is a list of libvirt's networks. */
void tap_watch_on_list(TapWatch *t);

/* libvirt's answer. */
void tap_watch_on_taps(TapWatch *t, const LibvirtMessage *answer);

TapWatch *tap_watch_free(TapWatch *t);
DEFINE_CLEANUP(TapWatch *, tap_watch_free)

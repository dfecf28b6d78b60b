#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LibvirtLink: the main loop's end of the libvirt thread. It fills m->networks, tells the manager
 * and the bridges of what changed, and hands questions over to the thread. It never waits.
 */

#include "agent/manager.h"

int libvirt_link_new(Manager *m, LibvirtLink **ret);

/* Asks libvirt for the list of all networks; while it is not connected, asks the thread to try now.
 * A request made while one is on its way is answered by one more list, whatever their number. */
void libvirt_link_relist(LibvirtLink *l);

/* Whether an answer is to be had: connected, or the first attempt to connect has not ended. */
bool libvirt_link_may_answer(const LibvirtLink *l);

/* CLOCK_MONOTONIC of the moment before libvirt was asked for the list that m->networks shows; 0 as
 * long as there is none since the last connect. */
uint64_t libvirt_link_list_usec(const LibvirtLink *l);

/* Whether a libvirt network names the bridge: by the list, and before there ever was one by
 * libvirt's files. */
bool libvirt_link_manages_bridge(const LibvirtLink *l, const char *bridge);

/* Asks the libvirt of the machines for their tap devices; tap_watch_on_taps() gets the answer. It
 * may be another one than that of the networks. */
int libvirt_link_get_taps(LibvirtLink *l, const char *uri);

/* Requests for leases that are not answered yet are answered with -ECANCELED. */
LibvirtLink *libvirt_link_free(LibvirtLink *l);
DEFINE_CLEANUP(LibvirtLink *, libvirt_link_free)
